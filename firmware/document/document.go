// Package document reads what people write: YAML, or JSON, which is a subset, into a mirror of texts that each know
// their place. firmware/config and firmware/knowledge check what the texts mean.
//
//	bytes --source--> clean text --goccy/go-yaml--> tree --bind--> mirror --value--> checked by the caller
//	         every step collects what is wrong, with line and column: Errors
//
// It is strict: an unknown key, a key given twice, an anchor or a tag refuses the file. A mirror is a struct of Scalar,
// slices and structs; the tag `key:"auth-user"` names a field's key, `must:"yes"` demands it (of a list an entry too), `most:"500"`
// bounds a list, and a field called At of type Position takes the place of the group.
//
// It must not know what a document is about.
package document

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Limits is how large a document may be, and what it is called when it is not one.
type Limits struct {
	Size int    // bytes of the file
	List int    // entries of a list whose field has no tag `most`
	Kind string // "configuration of a phone"
	Part string // what an empty file lacks: "setting"
}

// Load reads a file of at most limits.Size bytes and one more, which tells that it is too large; /dev/zero ends here too.
func Load(path string, limits Limits) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(file, int64(limits.Size)+1))
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return data, nil
}

// Read binds a document to the struct that mirror points at; name stands in the messages. What is wrong is in Problems.
// bound is false when no tree could be read: then the mirror is empty and not worth a check.
func Read(name string, data []byte, limits Limits, mirror any) (p *Problems, bound bool) {
	p = &Problems{file: name, limits: limits}
	if !p.clean(data) {
		return p, false
	}
	p.lines = strings.Split(string(data), "\n")
	node := p.tree(data)
	if node == nil {
		return p, false
	}
	p.bind(node, mirror)
	return p, true
}
