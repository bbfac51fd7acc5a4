package rig

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAServiceLineNeverLetsTheMachineWait(t *testing.T) {
	listener, err := net.Listen("unix", filepath.Join(t.TempDir(), "service"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	host, err := net.Dial("unix", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	machine, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer machine.Close()
	l := newServiceLine(host)
	defer l.close()
	// As an echo comes, byte by byte: 280 of them fill a socket that nobody reads.
	if err := machine.SetWriteDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for range 5000 {
		if _, err := machine.Write([]byte("e")); err != nil {
			t.Fatalf("the machine waits: %v", err)
		}
	}
	if said, ok := l.Wait(strings.Repeat("e", 100), time.Second); !ok || len(said) > saidMax {
		t.Errorf("%d bytes, %t", len(said), ok)
	}
	if said, ok := l.Wait("nothing of the kind", time.Millisecond); ok {
		t.Errorf("%q", said)
	}
	machine.Close()
	if _, ok := l.Wait("nothing of the kind", time.Minute); ok {
		t.Error("it waits for a line that has ended")
	}
}
