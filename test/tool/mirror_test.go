package tool

import (
	"testing"
	"testing/fstest"
)

func TestTheMirrorComesFromAptsOwnConfiguration(t *testing.T) {
	const stanza = "Types: deb deb-src\n# a remark\nURIs: https://mirror.example/debian/\nSuites: bookworm\n bookworm-updates\nComponents: main\nSigned-By: /usr/share/keyrings/x.gpg\n"
	const line = "deb [arch=amd64 Signed-By=/k/x.gpg] http://mirror.example/debian bookworm main # ours\n"
	tests := []struct {
		name  string
		files map[string]string
		want  Mirror // zero: refused
	}{
		{"nothing", nil, Mirror{}},
		{"empty", map[string]string{"sources.list": "# moved\n"}, Mirror{}},
		{"only security", map[string]string{"sources.list.d/a.sources": "Types: deb\nURIs: http://mirror.example/debian-security\nSuites: bookworm-security\nComponents: main\n",
			"sources.list": "deb http://security.example/debian bookworm-security main\n"}, Mirror{}},
		{"switched off", map[string]string{"sources.list.d/a.sources": stanza + "Enabled: no\n"}, Mirror{}},
		{"only sources", map[string]string{"sources.list": "deb-src http://mirror.example/debian sid main\n"}, Mirror{}},
		{"a file apt does not read", map[string]string{"sources.list.d/a.sources.disabled": stanza}, Mirror{}},
		{"a vendor", map[string]string{"sources.list.d/a.list": "deb http://vendor.example/apt stable main\n"}, Mirror{}},
		{"a disk", map[string]string{"sources.list": "deb cdrom:[Debian 12]/debian bookworm main\n"}, Mirror{}},
		{"no component", map[string]string{"sources.list": "deb http://mirror.example/debian ./\n"}, Mirror{}},

		{"deb822", map[string]string{"sources.list.d/debian.sources": stanza}, Mirror{"https://mirror.example/debian", "/usr/share/keyrings/x.gpg"}},
		{"deb822 without end of line, after another stanza", map[string]string{"sources.list.d/debian.sources": "Types: deb\nURIs: http://vendor.example/apt\nSuites: x\nComponents: main\n\n\ntypes: deb\nuris: http://mirror.example/debian\nsuites: sid\ncomponents: main contrib"},
			Mirror{"http://mirror.example/debian", ""}},
		{"one line", map[string]string{"sources.list": "# x\n" + line}, Mirror{"http://mirror.example/debian", "/k/x.gpg"}},
		{"one line in a folder", map[string]string{"sources.list.d/x.list": line}, Mirror{"http://mirror.example/debian", "/k/x.gpg"}},
		{"both", map[string]string{"sources.list": line, "sources.list.d/a.list": line, "sources.list.d/b.sources": stanza}, Mirror{"https://mirror.example/debian", "/usr/share/keyrings/x.gpg"}},
		{"a key in the file itself", map[string]string{"sources.list.d/a.sources": "Types: deb\nURIs: http://mirror.example/debian\nSuites: sid\nComponents: main\nSigned-By:\n -----BEGIN PGP\n .\n -----END\n"}, Mirror{"http://mirror.example/debian", ""}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			files := fstest.MapFS{}
			for name, text := range test.files {
				files[name] = &fstest.MapFile{Data: []byte(text)}
			}
			got, err := FindMirror(files)
			if got != test.want || (err != nil) != (test.want == Mirror{}) {
				t.Errorf("got %+v, %v; want %+v", got, err, test.want)
			}
		})
	}
}
