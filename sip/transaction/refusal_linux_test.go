package transaction

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
)

func TestAClosedUDPPortFailsTheRequestAtOnceAndNoOther(t *testing.T) {
	closed, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	pbx := serve(t, Config{Local: netip.MustParseAddrPort("127.0.0.1:0")}, answer200)
	phone := serve(t, Config{Local: netip.MustParseAddrPort("127.0.0.1:0")}, nil)
	start := time.Now()
	for range 10 {
		phone.request(newRequest(sip.OPTIONS, "sip:gone@"+closed.LocalAddr().String(), "gone"))
		phone.request(newRequest(sip.OPTIONS, "sip:pbx@"+pbx.endpoint.LocalAddr("udp").String(), sip.GenerateTagN(8)))
	}
	failed, answered := 0, 0
	for range 20 {
		switch e := phone.wait(t).(type) {
		case Failed:
			if failed++; !errors.Is(e.Err, syscall.ECONNREFUSED) {
				t.Error(e.Err)
			}
		case ResponseReceived:
			answered++
		}
	}
	if failed != 10 || answered != 10 || time.Since(start) > 10*time.Second {
		t.Errorf("%d failed, %d answered, in %v", failed, answered, time.Since(start))
	}
}
