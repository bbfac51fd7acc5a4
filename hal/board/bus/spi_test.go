//go:build linux

package bus

import (
	"os"
	"strings"
	"testing"
)

func TestAnSPIBusThatIsNotThereSaysWhereTheTableHasIt(t *testing.T) {
	c := NewSPI("b.yaml:9", "99.9", 1e6)
	if err := c.Tx([]byte{1}, nil); err == nil || !strings.Contains(err.Error(), "b.yaml:9: opening SPI 99.9") {
		t.Errorf("%v", err)
	}
	if err := c.Close(); err != nil || c.MaxTxSize() != 4096 {
		t.Error(err)
	}
	if _, err := os.Stat("/dev/spidev99.9"); err == nil {
		t.Error("this machine has the bus that no machine has")
	}
}
