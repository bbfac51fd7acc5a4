// Package i2cusb is an I2C bus of an emulated machine: an adapter of the kind "i2c-tiny-usb" by USB, behind which the models of
// parts hang that hal/haltest has. The kernel's own drivers reach them, and with them i2c-dev and the phone. It must not know a part.
//
//	phone --/dev/i2c-N--> i2c-dev, i2c-tiny-usb --usbredir--> adapter --Message--> haltest.Bus --> Target
//
// The requests are those of the adapter's firmware as Linux's drivers/i2c/busses/i2c-tiny-usb.c sends them.
package i2cusb

import (
	"encoding/binary"

	"freizeichen/hal/haltest"
	"freizeichen/test/board/rig/usbredir"
)

// Requests of the adapter, and its answers to the question for the status.
const (
	requestEcho      = 0
	requestFunctions = 1
	requestDelay     = 2
	requestStatus    = 3
	requestTransfer  = 4 // and with it begin = 1, end = 2
	statusACK        = 1
	statusNAK        = 2
	flagRead         = 1 // I2C_M_RD
)

// functions are I2C_FUNC_I2C and I2C_FUNC_SMBUS_EMUL of linux/i2c.h: plain messages, and SMBus made of them.
const functions = 0x00000001 | 0x0eff0008

// New makes an adapter for the bus.
func New(bus *haltest.Bus) *usbredir.Device {
	device, err := usbredir.New(usbredir.Descriptor{
		Class: 0xff, Vendor: 0x0403, Product: 0xc631, Release: 0x0204, Manufacturer: "Freizeichen", Name: "Board I2C",
		Interfaces: []byte{9, 4, 0, 0, 0, 0xff, 0, 0, 0},
	}, &adapter{bus: bus, status: statusNAK})
	if err != nil {
		panic(err) // the descriptor is above
	}
	return device
}

type adapter struct {
	bus    *haltest.Bus
	status byte // of the last message
}

func (a *adapter) Control(setup usbredir.Setup, data []byte) (reply []byte, ok bool) {
	switch setup.Request &^ 3 {
	case requestTransfer:
		return a.transfer(setup, data), true
	}
	switch setup.Request {
	case requestEcho:
		return binary.LittleEndian.AppendUint16(nil, setup.Value), true
	case requestFunctions:
		return binary.LittleEndian.AppendUint32(nil, functions), true
	case requestDelay:
		return nil, true
	case requestStatus:
		return []byte{a.status}, true
	}
	return nil, false
}

// transfer is one message: Value holds the kernel's flags, Index the address.
func (a *adapter) transfer(setup usbredir.Setup, data []byte) (read []byte) {
	acknowledged := false
	if setup.Value&flagRead != 0 {
		read = make([]byte, setup.Length)
		acknowledged = a.bus.Message(setup.Index, nil, read)
	} else {
		acknowledged = a.bus.Message(setup.Index, data, nil)
	}
	a.status = statusNAK
	if acknowledged {
		a.status = statusACK
	}
	return read
}

func (*adapter) Stream(byte, bool)    {}
func (*adapter) Receive(byte, []byte) {}
