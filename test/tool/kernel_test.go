package tool

import (
	"errors"
	"slices"
	"testing"
)

func TestAModuleIsLoadedAfterWhatItDependsOn(t *testing.T) {
	files := map[string]string{"snd_usb_audio": "a", "snd_pcm": "p", "snd": "s", "one": "1", "two": "2"}
	needs := map[string][]string{"a": {"snd-pcm", "snd", "built-in"}, "p": {"snd"}, "1": {"two"}, "2": {"one"}}
	broken := errors.New("no module")
	for _, test := range []struct {
		wanted, want []string
		err          error
	}{
		{[]string{"snd-usb-audio"}, nil, broken},
		{[]string{"built_in"}, nil, nil},
		{nil, nil, nil},
		{[]string{"one"}, []string{"2", "1"}, nil}, // the kernel has none that go round; nobody hangs
		{[]string{"snd-usb-audio", "snd"}, []string{"s", "p", "a"}, nil},
		{[]string{"snd", "snd_usb_audio", "snd"}, []string{"s", "p", "a"}, nil},
	} {
		got, err := order(files, test.wanted, func(file string) ([]string, error) { return needs[file], test.err })
		if !errors.Is(err, test.err) || test.err == nil && !slices.Equal(got, test.want) {
			t.Errorf("%v: %v, %v; want %v, %v", test.wanted, got, err, test.want, test.err)
		}
	}
}

func TestTheKernelIsTheOneThatItsMetapackageNames(t *testing.T) {
	for _, test := range []struct{ said, want string }{
		{"", ""},
		{"linux-image-arm64\n  Depends: linux-image-cloud\n", ""},
		{"linux-image-arm64\n  Conflicts: linux-image-6.1.0-50-arm64\n", ""},
		{"linux-image-arm64\n  Depends: linux-image-6.1.0-50-arm64\n", "linux-image-6.1.0-50-arm64"},
		{"linux-image-arm64\n |Depends: linux-image-6.12.107+deb13-arm64\n  Depends: linux-image-6.12.107+deb13-arm64-unsigned\n", "linux-image-6.12.107+deb13-arm64"},
	} {
		got := ""
		if found := kernelDependency.FindStringSubmatch(test.said); found != nil {
			got = found[1]
		}
		if got != test.want {
			t.Errorf("%q: got %q, want %q", test.said, got, test.want)
		}
	}
}
