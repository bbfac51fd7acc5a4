package tool

import (
	"cmp"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// A Mirror is where a Debian comes from.
type Mirror struct {
	URI     string // http://host/debian
	Keyring string // file that signed it, empty for the system's own
}

// FindMirror takes the mirror of Debian from apt's own configuration: etcApt is /etc/apt. Both formats of
// sources.list(5) are read, deb822 first. Security and backport archives hold no whole Debian and are passed over.
func FindMirror(etcApt fs.FS) (Mirror, error) {
	names, err := fs.Glob(etcApt, "sources.list.d/*")
	if err != nil {
		return Mirror{}, err
	}
	slices.SortFunc(names, func(a, b string) int {
		// ".sources" sorts behind ".list": the newer format first.
		return cmp.Or(-cmp.Compare(path.Ext(a), path.Ext(b)), cmp.Compare(a, b))
	})
	for _, name := range append(names, "sources.list") {
		data, err := fs.ReadFile(etcApt, name)
		if err != nil {
			continue // not there, or not ours to read: the next
		}
		var mirrors []Mirror
		switch path.Ext(name) {
		case ".sources":
			mirrors = deb822(string(data))
		case ".list":
			mirrors = oneLine(string(data))
		}
		if len(mirrors) > 0 {
			return mirrors[0], nil
		}
	}
	return Mirror{}, errors.New("apt's configuration names no mirror of Debian")
}

// deb822 reads stanzas of "Field: value".
func deb822(text string) []Mirror {
	var mirrors []Mirror
	fields := map[string]string{}
	last := ""
	flush := func() {
		enabled := fields["enabled"] != "no" && fields["enabled"] != "false"
		if enabled && slices.Contains(strings.Fields(fields["types"]), "deb") {
			for _, uri := range strings.Fields(fields["uris"]) {
				mirrors = keep(mirrors, uri, fields["suites"], fields["components"], fields["signed-by"])
			}
		}
		fields, last = map[string]string{}, ""
	}
	for line := range strings.Lines(text + "\n\n") {
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "":
			flush()
		case trimmed[0] == '#':
		case line[0] == ' ' || line[0] == '\t':
			fields[last] += " " + trimmed
		default:
			name, value, _ := strings.Cut(trimmed, ":")
			last = strings.ToLower(name)
			fields[last] = strings.TrimSpace(value)
		}
	}
	return mirrors
}

// oneLine reads "deb [option=value ...] URI suite component ...".
func oneLine(text string) []Mirror {
	var mirrors []Mirror
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "deb ")
		if !ok {
			continue
		}
		keyring := ""
		if options, after, found := strings.Cut(strings.TrimSpace(rest), "]"); found && strings.HasPrefix(options, "[") {
			rest = after
			for option := range strings.FieldsSeq(options[1:]) {
				if value, ok := strings.CutPrefix(strings.ToLower(option), "signed-by="); ok {
					keyring = option[len(option)-len(value):]
				}
			}
		}
		words := strings.Fields(rest)
		if len(words) < 3 {
			continue
		}
		mirrors = keep(mirrors, words[0], words[1], strings.Join(words[2:], " "), keyring)
	}
	return mirrors
}

// keep adds a mirror that holds a whole Debian. Sid lies beside every other suite of such a mirror.
func keep(mirrors []Mirror, uri, suites, components, keyring string) []Mirror {
	scheme, _, _ := strings.Cut(uri, ":")
	whole := strings.TrimRight(uri, "/")
	switch {
	case !slices.Contains([]string{"http", "https", "file"}, scheme),
		path.Base(whole) != "debian", // debian-security, ubuntu, and what vendors have beside it
		!slices.Contains(strings.Fields(components), "main"),
		slices.ContainsFunc(strings.Fields(suites), func(s string) bool { return strings.Contains(s, "security") }):
		return mirrors
	}
	if !strings.HasPrefix(keyring, "/") {
		keyring = "" // a fingerprint, or the key itself
	}
	return append(mirrors, Mirror{URI: whole, Keyring: keyring})
}
