package serial

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// terminal is a pseudo terminal: its far end, and the path of the line.
func terminal(t *testing.T) (far *os.File, path string) {
	t.Helper()
	far, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close() })
	var number, unlock uint32
	conn, err := far.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	control := func(request uintptr, value *uint32) {
		t.Helper()
		var errno syscall.Errno
		if err := conn.Control(func(fd uintptr) {
			_, _, errno = syscall.Syscall(syscall.SYS_IOCTL, fd, request, uintptr(unsafe.Pointer(value)))
		}); err != nil || errno != 0 {
			t.Fatal(err, errno)
		}
	}
	control(syscall.TIOCSPTLCK, &unlock)
	control(syscall.TIOCGPTN, &number)
	return far, fmt.Sprintf("/dev/pts/%d", number)
}

func TestAnErrorSaysWhatToDo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, path := terminal(t)
	for _, test := range []struct {
		name string
		baud int
		want string
	}{
		{"/dev/ttyNONE9", 9600, "there are /dev/ttyAMA0"},
		{file, 9600, "it is no serial line"},
		{path, 0, "no such speed"},
		{path, -5, "no such speed"},
	} {
		line, err := machine(t).open(test.name, test.baud)
		if err == nil || !strings.Contains(err.Error(), test.name) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, %v; want %q", test.name, line, err, test.want)
		}
	}
}

func TestEveryByteGoesAsItIs(t *testing.T) {
	far, path := terminal(t)
	line, err := Open(path, 115200)
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for _, way := range []struct {
		name string
		from io.Writer
		to   io.Reader
	}{{"out", line, far}, {"in", far, line}} {
		if n, err := way.from.Write(all); n != len(all) || err != nil {
			t.Fatal(way.name, n, err)
		}
		got := make([]byte, len(all))
		if _, err := io.ReadFull(way.to, got); err != nil || string(got) != string(all) {
			t.Errorf("%s: got % x, %v", way.name, got, err)
		}
	}
	// What came in was not echoed: the next that goes out is the next that is read.
	if _, err := line.Write([]byte("!")); err != nil {
		t.Fatal(err)
	}
	one := make([]byte, 16)
	if n, err := far.Read(one); string(one[:n]) != "!" || err != nil {
		t.Errorf("got %q, %v", one[:n], err)
	}
}

func TestClosingEndsARead(t *testing.T) {
	_, path := terminal(t)
	line, err := Open(path, 9600)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := line.Read(make([]byte, 1))
		ended <- err
	}()
	for range 2 {
		if err := line.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := <-ended; err != io.EOF {
		t.Errorf("the read ended with %v", err)
	}
	if _, err := line.Write([]byte("x")); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("a write after closing: %v", err)
	}
}

func TestALineThatVanishesEndsARead(t *testing.T) {
	far, path := terminal(t)
	line, err := Open(path, 9600)
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	far.Close()
	if n, err := line.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("got %d, %v", n, err)
	}
}
