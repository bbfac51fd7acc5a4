package i2cusb

import (
	"bytes"
	"testing"

	"freizeichen/hal/haltest"
	"freizeichen/test/board/rig/usbredir"
)

func TestAMessageIsAcknowledgedOrNot(t *testing.T) {
	bus := new(haltest.Bus)
	eeprom := haltest.NewEEPROM24(256, 16, false, 0)
	eeprom.Load([]byte("abc"))
	bus.Attach(0x50, eeprom)
	a := &adapter{bus: bus}
	for _, step := range []struct {
		setup  usbredir.Setup
		data   []byte
		want   []byte
		status byte
	}{
		{usbredir.Setup{Request: 7, Index: 0x29}, []byte{0}, nil, statusNAK},
		{usbredir.Setup{Request: 5, Value: flagRead, Index: 0x29, Length: 2}, nil, []byte{0, 0}, statusNAK},
		{usbredir.Setup{Request: 5, Index: 0x50}, []byte{1}, nil, statusACK},
		{usbredir.Setup{Request: 6, Value: flagRead, Index: 0x50, Length: 2}, nil, []byte("bc"), statusACK},
	} {
		got, ok := a.Control(step.setup, step.data)
		status, _ := a.Control(usbredir.Setup{Request: requestStatus}, nil)
		if !ok || !bytes.Equal(got, step.want) || status[0] != step.status {
			t.Errorf("%+v: %v, status %v", step.setup, got, status)
		}
	}
	if _, ok := a.Control(usbredir.Setup{Request: 99 &^ 4 & 0xf8}, nil); ok {
		t.Error("an unknown request was answered")
	}
}
