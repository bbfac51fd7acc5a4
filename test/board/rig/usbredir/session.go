package usbredir

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
)

// Packets of the protocol.
const (
	packetHello             = 0
	packetDeviceConnect     = 1
	packetReset             = 3
	packetInterfaceInfo     = 4
	packetEndpointInfo      = 5
	packetSetConfiguration  = 6
	packetGetConfiguration  = 7
	packetConfiguration     = 8
	packetSetAlternate      = 9
	packetGetAlternate      = 10
	packetAlternate         = 11
	packetStartIsochronous  = 12
	packetStopIsochronous   = 13
	packetIsochronousStatus = 14
	packetStartInterrupt    = 15
	packetStopInterrupt     = 16
	packetInterruptStatus   = 17
	packetCancel            = 21
	packetControl           = 100
	packetIsochronous       = 102
	packetInterrupt         = 103
	capabilityDeviceVersion = 1 << 1
	capabilityEndpointSize  = 1 << 4 // without the next two QEMU refuses a device on a port that can do SuperSpeed
	capabilityWideID        = 1 << 5
	capabilityBulkLength    = 1 << 6
	statusSuccess           = 0
	statusCancelled         = 1
	statusStall             = 4
	speedFull               = 1
	kindIsochronous         = 1
	kindInterrupt           = 3
	kindNone                = 255
	endpointSlots           = 32
	versionLength           = 64
)

// payloadMax bounds what the machine may send in one packet: QEMU's control buffer is 4 KB, its bulk packets are not larger than this.
const payloadMax = 1 << 20

// Plug puts the device into the machine at the other end of the connection, which it closes when it is unplugged.
func (d *Device) Plug(connection net.Conn) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.connection != nil {
		return fmt.Errorf("usbredir: %s is plugged in already", d.descriptor.Name)
	}
	d.connection, d.wide, d.done = connection, false, make(chan struct{})
	d.chosen, d.listening, d.configured = map[byte]byte{}, map[byte]bool{}, 0
	hello := make([]byte, versionLength, versionLength+4)
	copy(hello, "freizeichen board 1")
	d.send(packetHello, 0, binary.LittleEndian.AppendUint32(hello, capabilityDeviceVersion|capabilityEndpointSize|capabilityWideID|capabilityBulkLength))
	go d.serve(connection, d.done)
	return nil
}

// Unplug takes the device out, and returns when it is out. Without a machine it does nothing.
func (d *Device) Unplug() {
	d.mu.Lock()
	connection, done := d.connection, d.done
	d.mu.Unlock()
	if connection != nil {
		connection.Close()
		<-done
	}
}

// Plugged tells whether the device is in a machine.
func (d *Device) Plugged() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.connection != nil
}

// Configured tells whether the machine has found the device and chosen its configuration: its drivers are being loaded.
func (d *Device) Configured() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.connection != nil && d.configured != 0
}

// Listening tells whether the machine asks an interrupt endpoint: a program reads it.
func (d *Device) Listening(address byte) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.connection != nil && d.listening[address]
}

// Send gives a packet to the machine by an isochronous or interrupt endpoint. A report that nobody asks for is lost: the kernel would
// throw it away too, when a program begins to read.
func (d *Device) Send(address byte, data []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.connection == nil:
	case d.kindOf(address) == kindIsochronous:
		d.send(packetIsochronous, 0, packet(address, data))
	case d.listening[address]:
		d.send(packetInterrupt, 0, packet(address, data))
	}
}

// packet is the payload of an isochronous or interrupt packet.
func packet(address byte, data []byte) []byte {
	return append(binary.LittleEndian.AppendUint16([]byte{address, statusSuccess}, uint16(len(data))), data...)
}

// send writes one packet. The caller holds the lock. A broken connection is seen by the reader.
func (d *Device) send(kind uint32, id uint64, payload []byte) {
	le := binary.LittleEndian
	b := le.AppendUint32(le.AppendUint32(nil, kind), uint32(len(payload)))
	if d.wide {
		b = le.AppendUint64(b, id)
	} else {
		b = le.AppendUint32(b, uint32(id))
	}
	_, _ = d.connection.Write(append(b, payload...))
}

// serve reads until the connection ends.
func (d *Device) serve(connection net.Conn, done chan struct{}) {
	defer close(done)
	r := bufio.NewReaderSize(connection, 1<<16)
	streams := map[byte]bool{}
	for {
		kind, id, payload, err := d.receive(r)
		if err == nil {
			err = d.handle(kind, id, payload, streams)
		}
		if err != nil {
			break
		}
	}
	connection.Close()
	d.mu.Lock()
	d.connection = nil
	d.mu.Unlock()
	for address := range streams {
		d.function.Stream(address, false)
	}
}

func (d *Device) receive(r io.Reader) (kind uint32, id uint64, payload []byte, err error) {
	le := binary.LittleEndian
	var header [16]byte
	used := header[:12]
	if d.wide { // only this goroutine changes it
		used = header[:16]
	}
	if _, err = io.ReadFull(r, used); err != nil {
		return 0, 0, nil, err
	}
	length := le.Uint32(header[4:])
	if length > payloadMax {
		return 0, 0, nil, fmt.Errorf("usbredir: a packet of %d bytes", length)
	}
	payload = make([]byte, length)
	_, err = io.ReadFull(r, payload)
	return le.Uint32(header[:]), le.Uint64(header[8:]), payload, err
}

var errShort = errors.New("usbredir: a packet is too short")

// handle answers one packet. Streams are the isochronous endpoints that run.
func (d *Device) handle(kind uint32, id uint64, p []byte, streams map[byte]bool) error {
	shortest := map[uint32]int{packetHello: versionLength + 4, packetSetConfiguration: 1, packetSetAlternate: 2, packetGetAlternate: 1,
		packetStartIsochronous: 1, packetStopIsochronous: 1, packetStartInterrupt: 1, packetStopInterrupt: 1,
		packetControl: 10, packetIsochronous: 4, packetInterrupt: 4}
	if len(p) < shortest[kind] {
		return errShort
	}
	switch kind {
	case packetControl:
		d.control(id, p)
		return nil
	case packetIsochronous:
		d.function.Receive(p[0], p[4:])
		return nil
	case packetInterrupt:
		d.function.Receive(p[0], p[4:])
		d.answer(packetInterrupt, id, []byte{p[0], statusSuccess, p[2], p[3]})
		return nil
	case packetStartIsochronous, packetStopIsochronous:
		if on := kind == packetStartIsochronous; on != streams[p[0]] {
			if streams[p[0]] = on; !on {
				delete(streams, p[0])
			}
			d.function.Stream(p[0], on)
		}
		d.answer(packetIsochronousStatus, id, []byte{statusSuccess, p[0]})
		return nil
	}
	d.manage(kind, id, p)
	return nil
}

func (d *Device) answer(kind uint32, id uint64, payload []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.send(kind, id, payload)
}

// manage answers what is about the device itself.
func (d *Device) manage(kind uint32, id uint64, p []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch kind {
	case packetHello:
		d.wide = binary.LittleEndian.Uint32(p[versionLength:])&capabilityWideID != 0
		d.introduce()
		own, le := &d.descriptor, binary.LittleEndian
		connect := []byte{speedFull, own.Class, own.SubClass, own.Protocol}
		d.send(packetDeviceConnect, 0, le.AppendUint16(le.AppendUint16(le.AppendUint16(connect, own.Vendor), own.Product), own.Release))
	case packetReset:
		d.configured = 0
		clear(d.listening)
	case packetSetConfiguration:
		d.configured = p[0]
		clear(d.chosen)
		d.introduce()
		d.send(packetConfiguration, id, []byte{statusSuccess, d.configured})
	case packetGetConfiguration:
		d.send(packetConfiguration, id, []byte{statusSuccess, d.configured})
	case packetSetAlternate:
		d.chosen[p[0]] = p[1]
		d.introduce()
		d.send(packetAlternate, id, []byte{statusSuccess, p[0], p[1]})
	case packetGetAlternate:
		d.send(packetAlternate, id, []byte{statusSuccess, p[0], d.chosen[p[0]]})
	case packetStartInterrupt, packetStopInterrupt:
		d.listening[p[0]] = kind == packetStartInterrupt
		d.send(packetInterruptStatus, id, []byte{statusSuccess, p[0]})
	case packetCancel:
		d.send(packetControl, id, []byte{0, 0, 0, statusCancelled, 0, 0, 0, 0, 0, 0})
	}
}

// introduce tells interfaces and endpoints as they are set now. The caller holds the lock.
func (d *Device) introduce() {
	numbers := d.numbers()
	interfaces := make([]byte, 4+4*endpointSlots)
	binary.LittleEndian.PutUint32(interfaces, uint32(len(numbers)))
	endpoints := make([]byte, 3*endpointSlots+2*endpointSlots)
	for i := range endpointSlots {
		endpoints[i] = kindNone
	}
	set := func(e endpoint, number byte) {
		slot := int(e.address&0x80)>>3 | int(e.address&0x0f) // 0 to 15 are OUT, 16 to 31 IN
		endpoints[slot], endpoints[endpointSlots+slot], endpoints[2*endpointSlots+slot] = e.kind, e.interval, number
		binary.LittleEndian.PutUint16(endpoints[3*endpointSlots+2*slot:], e.sizeMax)
	}
	set(endpoint{address: 0x00, sizeMax: 64}, 0)
	set(endpoint{address: 0x80, sizeMax: 64}, 0)
	for i, number := range numbers {
		a := d.active(number)
		for field, value := range []byte{number, a.class, a.subClass, a.protocol} {
			interfaces[4+field*endpointSlots+i] = value
		}
		for _, e := range a.endpoints {
			set(e, number)
		}
	}
	d.send(packetInterfaceInfo, 0, interfaces)
	d.send(packetEndpointInfo, 0, endpoints)
}

// Standard requests, USB 2.0 table 9-4.
const (
	requestGetStatus     = 0
	requestClearFeature  = 1
	requestGetDescriptor = 6
	toDevice             = 0x00
	toEndpoint           = 0x02
	fromDevice           = 0x80
)

// control answers a control transfer.
func (d *Device) control(id uint64, p []byte) {
	le := binary.LittleEndian
	// Here the request stands before its type.
	setup := Setup{Type: p[2], Request: p[1], Value: le.Uint16(p[4:]), Index: le.Uint16(p[6:]), Length: le.Uint16(p[8:])}
	reply, ok := []byte(nil), true
	switch {
	case setup.Type == fromDevice && setup.Request == requestGetDescriptor:
		reply, ok = d.describe(byte(setup.Value>>8), byte(setup.Value))
	case setup.Type == fromDevice && setup.Request == requestGetStatus:
		reply = []byte{0, 0}
	case (setup.Type == toEndpoint || setup.Type == toDevice) && setup.Request == requestClearFeature:
	default:
		reply, ok = d.function.Control(setup, p[10:])
	}
	length := setup.Length
	if setup.Type&fromDevice != 0 {
		reply = reply[:min(len(reply), int(setup.Length))]
		length = uint16(len(reply))
	} else {
		reply = nil
	}
	status := byte(statusSuccess)
	if !ok {
		status, length, reply = statusStall, 0, nil
	}
	head := append([]byte{p[0], p[1], p[2], status}, p[4:8]...)
	d.answer(packetControl, id, append(le.AppendUint16(head, length), reply...))
}
