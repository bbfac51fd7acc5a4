package line

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// find is the chip and the line of an address as they are now. Its errors say what there is instead.
func find(k kernel, a Address) (Chip, Info, error) {
	all, err := chips(k)
	if err != nil {
		return Chip{}, Info{}, err
	}
	candidates := all
	if a.Chip != "" {
		candidates = named(all, a.Chip)
	}
	switch {
	case len(candidates) == 0 && a.Chip != "":
		return Chip{}, Info{}, fmt.Errorf("there is no such chip; there are: %s: %w", list(all, Chip.describe), unix.ENODEV)
	case len(candidates) > 1 && a.Chip != "":
		return Chip{}, Info{}, fmt.Errorf("%d chips are labelled so: %s; name one by its device", len(candidates), list(candidates, Chip.describe))
	}
	var in []Chip // the chips that have the line
	var line Info
	var others []string
	var failed error
	for _, chip := range candidates {
		infos, err := chip.infos(k)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		if info, ok := pick(infos, a); ok {
			in, line = append(in, chip), info
		}
		others = append(others, chip.describe()+" has "+list(infos, Info.describe))
	}
	switch {
	case len(in) == 1:
		return in[0], line, nil
	case len(in) > 1:
		return Chip{}, Info{}, fmt.Errorf("%d chips have such a line: %s; name the chip", len(in), list(in, Chip.describe))
	case failed != nil:
		return Chip{}, Info{}, failed
	case len(others) == 0:
		return Chip{}, Info{}, fmt.Errorf("this machine has no GPIO chips: %w", unix.ENODEV)
	}
	return Chip{}, Info{}, fmt.Errorf("there is no such line; %s: %w", strings.Join(others, "; "), unix.ENXIO)
}

// named are the chips that a name means: a device means one, a label all that carry it.
func named(all []Chip, name string) []Chip {
	var labelled []Chip
	for _, chip := range all {
		if name == chip.Path || name == chip.Name || name == filepath.Base(chip.Path) {
			return []Chip{chip}
		}
		if name == chip.Label {
			labelled = append(labelled, chip)
		}
	}
	if len(labelled) > 0 {
		return labelled
	}
	// It may be a second name for a chip: on a Raspberry Pi 5 gpiochip4 is a link, and udev makes others.
	path := name
	if !strings.HasPrefix(name, "/") {
		path = "/dev/" + name
	}
	if target, err := filepath.EvalSymlinks(path); err == nil && target != path && target != name {
		return named(all, target)
	}
	return nil
}

// pick is the line of a chip by name or, where the chip is named, by offset.
func pick(infos []Info, a Address) (Info, bool) {
	for _, info := range infos {
		if info.Name == a.Line && a.Line != "" {
			return info, true
		}
	}
	offset, err := strconv.Atoi(a.Line)
	if err != nil || a.Chip == "" || offset < 0 || offset >= len(infos) {
		return Info{}, false
	}
	return infos[offset], true
}

func (c Chip) describe() string { return fmt.Sprintf("%s (%s)", c.Label, c.Path) }

func (i Info) describe() string {
	if i.Name == "" {
		return strconv.Itoa(i.Offset)
	}
	return i.Name
}

func list[T any](all []T, describe func(T) string) string {
	if len(all) == 0 {
		return "none"
	}
	texts := make([]string, len(all))
	for i, one := range all {
		texts[i] = describe(one)
	}
	return strings.Join(texts, ", ")
}
