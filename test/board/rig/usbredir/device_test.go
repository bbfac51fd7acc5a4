package usbredir

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"
)

// function remembers what it is asked.
type function struct {
	mu       sync.Mutex
	received []byte
	streams  []bool
}

func (f *function) Control(s Setup, data []byte) ([]byte, bool) {
	return append([]byte{s.Request}, data...), s.Request != 0x55
}
func (f *function) Receive(_ byte, data []byte) {
	f.mu.Lock()
	f.received = append(f.received, data...)
	f.mu.Unlock()
}
func (f *function) Stream(_ byte, on bool) {
	f.mu.Lock()
	f.streams = append(f.streams, on)
	f.mu.Unlock()
}

// headset is two settings of an interface with an isochronous endpoint, and one with an interrupt endpoint.
var headset = []byte{9, 4, 0, 0, 0, 1, 2, 0, 0, 9, 4, 0, 1, 1, 1, 2, 0, 0, 7, 5, 0x01, 1, 40, 0, 1, 9, 4, 1, 0, 1, 3, 0, 0, 0, 7, 5, 0x83, 3, 8, 0, 4}

func TestDescriptorsThatMakeNoDeviceAreRefused(t *testing.T) {
	for _, test := range []struct {
		name        string
		descriptors []byte
		ok          bool
	}{
		{"none", nil, false},
		{"no interface", []byte{5, 0x24, 0, 0, 0}, false},
		{"an endpoint before the interface", headset[18:25], false},
		{"longer than what is left", headset[:24], false},
		{"of no length", []byte{0, 4}, false},
		{"a headset", headset, true},
	} {
		if _, err := New(Descriptor{Interfaces: test.descriptors}, new(function)); (err == nil) != test.ok {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// machine is QEMU's end, as far as these tests need it.
type machine struct {
	t *testing.T
	net.Conn
	wide bool
}

func (m *machine) send(kind uint32, payload ...byte) {
	m.t.Helper()
	b := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, kind), uint32(len(payload)))
	b = append(b, 7, 0, 0, 0)
	if m.wide {
		b = append(b, 0, 0, 0, 0)
	}
	if _, err := m.Write(append(b, payload...)); err != nil {
		m.t.Fatal(err)
	}
}

// next reads a packet.
func (m *machine) next() (kind uint32, payload []byte) {
	m.t.Helper()
	header := make([]byte, 12)
	if m.wide {
		header = make([]byte, 16)
	}
	if _, err := io.ReadFull(m, header); err != nil {
		m.t.Fatal(err)
	}
	payload = make([]byte, binary.LittleEndian.Uint32(header[4:]))
	if _, err := io.ReadFull(m, payload); err != nil {
		m.t.Fatal(err)
	}
	return binary.LittleEndian.Uint32(header), payload
}

// want reads packets up to one of a kind, and gives its payload.
func (m *machine) want(kind uint32) []byte {
	m.t.Helper()
	for {
		if got, payload := m.next(); got == kind {
			return payload
		}
	}
}

// pair is a connection with some memory, as that to QEMU is.
func pair(t *testing.T) (here, there net.Conn) {
	t.Helper()
	listener, err := net.Listen("unix", filepath.Join(t.TempDir(), "usb"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if here, err = net.Dial("unix", listener.Addr().String()); err == nil {
		there, err = listener.Accept()
	}
	if err != nil {
		t.Fatal(err)
	}
	return here, there
}

// plug makes a device whose machine has said hello.
func plug(t *testing.T, capabilities uint32) (*Device, *function, *machine) {
	t.Helper()
	f := new(function)
	d, err := New(Descriptor{Vendor: 0x1234, Product: 0x5678, Name: "Ümlaut", Interfaces: headset}, f)
	if err != nil {
		t.Fatal(err)
	}
	here, there := pair(t)
	m := &machine{t: t, Conn: there}
	t.Cleanup(func() { there.Close(); d.Unplug() })
	if err := d.Plug(here); err != nil {
		t.Fatal(err)
	}
	if err := d.Plug(here); err == nil {
		t.Error("it was plugged in twice")
	}
	if hello := m.want(packetHello); len(hello) != 68 {
		t.Fatalf("hello of %d bytes", len(hello))
	}
	m.send(packetHello, binary.LittleEndian.AppendUint32(make([]byte, versionLength), capabilities)...)
	m.wide = capabilities&capabilityWideID != 0
	return d, f, m
}

func TestTheMachineFindsTheDevice(t *testing.T) {
	for _, capabilities := range []uint32{0, capabilityWideID} {
		_, _, m := plug(t, capabilities)
		if p := m.want(packetInterfaceInfo); p[0] != 2 || p[4] != 0 || p[5] != 1 || p[4+endpointSlots+1] != 3 {
			t.Errorf("interfaces %v", p)
		}
		if p := m.want(packetEndpointInfo); p[1] != kindNone || p[16+3] != kindInterrupt {
			t.Errorf("endpoints %v", p[:32])
		}
		if p := m.want(packetDeviceConnect); !bytes.Equal(p, []byte{speedFull, 0, 0, 0, 0x34, 0x12, 0x78, 0x56, 0, 0}) {
			t.Errorf("connect %v", p)
		}
		// The endpoint is there when its setting is chosen.
		m.send(packetSetAlternate, 0, 1)
		if p := m.want(packetEndpointInfo); p[1] != kindIsochronous || binary.LittleEndian.Uint16(p[96+2:]) != 40 {
			t.Errorf("endpoints %v", p[:32])
		}
		if p := m.want(packetAlternate); !bytes.Equal(p, []byte{statusSuccess, 0, 1}) {
			t.Errorf("setting %v", p)
		}
		// A new configuration begins with the first settings, USB 2.0 section 9.4.7.
		m.send(packetSetConfiguration, 1)
		if p := m.want(packetEndpointInfo); p[1] != kindNone {
			t.Errorf("endpoints %v", p[:32])
		}
	}
}

func TestRequestsAreAnsweredOrStalled(t *testing.T) {
	_, _, m := plug(t, capabilityWideID)
	for _, test := range []struct {
		name string
		ask  []byte // endpoint, request, type, status, value, index, length, data
		want []byte // status, length, data
	}{
		{"the function says no", []byte{0x80, 0x55, 0xc0, 0, 0, 0, 0, 0, 8, 0}, []byte{statusStall, 0, 0}},
		{"no such string", []byte{0x80, 6, 0x80, 0, 9, 3, 9, 4, 255, 0}, []byte{statusStall, 0, 0}},
		{"more than was asked for", []byte{0x80, 6, 0x80, 0, 0, 1, 0, 0, 4, 0}, []byte{0, 4, 0, 18, 1, 0, 2}},
		{"a string", []byte{0x80, 6, 0x80, 0, 2, 3, 9, 4, 4, 0}, []byte{0, 4, 0, 14, 3, 0xdc, 0}},
		{"to the function", []byte{0x00, 0x44, 0x40, 0, 0, 0, 0, 0, 2, 0, 8, 9}, []byte{0, 2, 0}},
		{"from the function", []byte{0x80, 0x44, 0xc0, 0, 0, 0, 0, 0, 8, 0}, []byte{0, 1, 0, 0x44}},
	} {
		m.send(packetControl, test.ask...)
		p := m.want(packetControl)
		if got := append([]byte{p[3]}, p[8:]...); !bytes.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestAReportIsSentOnlyToWhomAsksForIt(t *testing.T) {
	d, _, m := plug(t, capabilityWideID)
	m.want(packetDeviceConnect)
	d.Send(0x83, []byte{1}) // nobody asks: lost
	m.send(packetStartInterrupt, 0x83)
	if kind, p := m.next(); kind != packetInterruptStatus {
		t.Errorf("packet %d: %v", kind, p)
	}
	if !d.Listening(0x83) {
		t.Error("it does not know that somebody asks")
	}
	d.Send(0x83, []byte{2})
	if p := m.want(packetInterrupt); !bytes.Equal(p, []byte{0x83, 0, 1, 0, 2}) {
		t.Errorf("report %v", p)
	}
}

func TestSoundStopsWhenTheDeviceIsUnplugged(t *testing.T) {
	d, f, m := plug(t, capabilityWideID)
	m.send(packetStartIsochronous, 0x01)
	m.want(packetIsochronousStatus)
	m.send(packetIsochronous, 0x01, 0, 2, 0, 5, 6)
	m.send(packetSetConfiguration, 1)
	m.want(packetConfiguration)
	if !d.Configured() || !d.Plugged() {
		t.Error("it is not configured")
	}
	d.Unplug()
	f.mu.Lock()
	defer f.mu.Unlock()
	if d.Plugged() || !bytes.Equal(f.received, []byte{5, 6}) || len(f.streams) != 2 || f.streams[1] {
		t.Error(d.Plugged(), f.received, f.streams)
	}
}

func TestAPacketThatCannotBeUnplugsTheDevice(t *testing.T) {
	for name, payload := range map[string][]byte{"a control request that is too short": {0, 0}, "none at all": nil} {
		d, _, m := plug(t, 0)
		m.want(packetDeviceConnect)
		m.send(packetControl, payload...)
		if _, err := m.Read(make([]byte, 1)); err == nil {
			t.Errorf("%s was answered", name)
		}
		d.Unplug()
		if d.Plugged() {
			t.Errorf("%s: it is plugged in", name)
		}
	}
	d, _, m := plug(t, 0)
	m.want(packetDeviceConnect)
	if _, err := m.Write([]byte{100, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Read(make([]byte, 1)); err == nil {
		t.Error("4 GB were answered")
	}
	d.Unplug()
}
