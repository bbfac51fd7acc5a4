package rig

import (
	"bytes"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// A File of the machine's first file system. It is in memory: what the program writes there is gone with the machine.
type File struct {
	Path string // "/etc/phone.yaml"; the folders above are made
	Data []byte
	Mode uint32 // permissions; 0 for 0644, of a folder 0755
	UID  int
	GID  int
	Dir  bool // a folder
}

// Kinds of files in the mode, inode(7).
const (
	kindFolder  = 0o040000
	kindRegular = 0o100000
)

// archive writes files in the format "newc" of cpio(5). The kernel unpacks several, one after another.
func archive(files []File) ([]byte, error) {
	all := map[string]File{}
	for _, f := range files {
		if !path.IsAbs(f.Path) || path.Clean(f.Path) != f.Path || f.Path == "/" {
			return nil, fmt.Errorf("rig: file %q: want a clean path from the root", f.Path)
		}
		all[f.Path] = f
	}
	for _, f := range files {
		for dir := path.Dir(f.Path); dir != "/"; dir = path.Dir(dir) {
			if _, known := all[dir]; !known {
				all[dir] = File{Path: dir, Dir: true}
			}
		}
	}
	var b bytes.Buffer
	for i, name := range slices.Sorted(maps.Keys(all)) { // a folder comes before what is in it
		f := all[name]
		mode, kind := uint32(0o644), uint32(kindRegular)
		if f.Dir {
			mode, kind = 0o755, kindFolder
		}
		if f.Mode != 0 {
			mode = f.Mode
		}
		entry(&b, strings.TrimPrefix(name, "/"), i+1, kind|mode, f)
	}
	entry(&b, "TRAILER!!!", 0, 0, File{})
	return b.Bytes(), nil
}

// entry writes one header and its data, each filled up to four bytes.
func entry(b *bytes.Buffer, name string, inode int, mode uint32, f File) {
	fmt.Fprintf(b, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00",
		inode, mode, f.UID, f.GID, 1, 0, len(f.Data), 0, 0, 0, 0, len(name)+1, 0, name)
	pad(b)
	b.Write(f.Data)
	pad(b)
}

func pad(b *bytes.Buffer) {
	for b.Len()%4 != 0 {
		b.WriteByte(0)
	}
}
