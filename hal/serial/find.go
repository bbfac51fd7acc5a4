package serial

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// roots are where sysfs and the nodes are.
type roots struct{ sys, dev string }

// A port is a serial line that the kernel has.
type port struct {
	path string
	usb  string // usb:0403:6001:A9007CbR; empty when it hangs on no USB
}

// list reads sysfs and opens nothing: opening a line moves its modem leads, which resets some devices. What has a device
// behind it is real; of the built-in 8250 lines those with a type are (Documentation/ABI/testing/sysfs-tty).
func (r roots) list() []port {
	class := filepath.Join(r.sys, "class", "tty")
	entries, err := os.ReadDir(class)
	if err != nil {
		return nil
	}
	var ports []port
	for _, e := range entries {
		device := filepath.Join(class, e.Name(), "device")
		if _, err := os.Stat(device); err != nil || attribute(filepath.Join(class, e.Name()), "type") == "0" {
			continue
		}
		ports = append(ports, port{filepath.Join(r.dev, e.Name()), usbIdentity(device)})
	}
	return ports
}

// usbIdentity is the identity of the USB device that a folder in sysfs belongs to.
func usbIdentity(folder string) string {
	at, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return ""
	}
	for ; at != filepath.Dir(at); at = filepath.Dir(at) {
		vendor, product := attribute(at, "idVendor"), attribute(at, "idProduct")
		if vendor == "" || product == "" {
			continue
		}
		id := "usb:" + vendor + ":" + product
		if serial := attribute(at, "serial"); serial != "" {
			id += ":" + serial
		}
		return id
	}
	return ""
}

// attribute is one value of sysfs, empty when there is none. Control characters, which a USB device may send, become
// question marks.
func attribute(folder, name string) string {
	f, err := os.Open(filepath.Join(folder, name))
	if err != nil {
		return ""
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 256))
	if err != nil {
		return ""
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7F || r == '\uFFFD' {
			return '?'
		}
		return r
	}, strings.TrimSpace(string(text)))
}

// find is the path that a name means.
func (r roots) find(name string) (string, error) {
	id, usb := strings.CutPrefix(name, "usb:")
	switch {
	case name == "":
		return "", fmt.Errorf("serial: no line is named; %s", r.names())
	case !usb && filepath.IsAbs(name):
		return name, nil
	case !usb && strings.ContainsRune(name, '/'):
		return "", fmt.Errorf("serial: %q is neither an absolute path nor a name in %s; %s", name, r.dev, r.names())
	case !usb:
		return filepath.Join(r.dev, name), nil
	}
	if strings.Count(id, ":") < 1 {
		return "", fmt.Errorf("serial: %q is no USB identity such as usb:0403:6001 or usb:0403:6001:SERIAL", name)
	}
	var matches []string
	for _, p := range r.list() {
		if own, ok := strings.CutPrefix(p.usb, "usb:"); ok && matchesID(own, id) {
			matches = append(matches, p.path)
		}
	}
	switch len(matches) {
	case 0:
		return "", fmt.Errorf("serial: no adapter %s is plugged in; %s", name, r.names())
	case 1:
		return matches[0], nil
	}
	return "", fmt.Errorf("serial: %s fits more than one line: %s; name the path, or the adapter's serial number, too", name, strings.Join(matches, ", "))
}

// matchesID compares vendor and product without regard to case, and the serial number exactly where one is asked for.
func matchesID(own, asked string) bool {
	o, a := strings.SplitN(own, ":", 3), strings.SplitN(asked, ":", 3)
	if !strings.EqualFold(o[0], a[0]) || !strings.EqualFold(o[1], a[1]) {
		return false
	}
	return len(a) == 2 || len(o) == 3 && o[2] == a[2]
}
