package asterisk

import (
	"strings"
	"testing"
)

// What the snippet's feature codes do: a phone dials them when the switchboard is away.
func TestFeatureCodesSignInPauseAndSignOut(t *testing.T) {
	pbx := Start(t)
	p := startPhone(t, pbx, "201")
	pbx.WaitRegistered("201")
	pbx.CLI("database put freizeichen 201 kw-zulassung,moers")
	member := func(queue string) string {
		for _, line := range strings.Split(pbx.CLI("queue show "+queue), "\n") {
			if strings.Contains(line, "PJSIP/201") || strings.Contains(line, "201 (") {
				return line
			}
		}
		return ""
	}
	dial := func(code string) {
		p.ctl("dial", code)
		p.waitIdle()
	}
	dial("*45")
	for _, queue := range []string{"kw-zulassung", "moers"} {
		if m := member(queue); m == "" || strings.Contains(m, "paused") {
			t.Errorf("after *45, %s has %q", queue, m)
		}
	}
	dial("*471")
	if m := member("moers"); !strings.Contains(m, "paused:Pause") {
		t.Errorf("after *471: %q", m)
	}
	dial("*48")
	if m := member("kw-zulassung"); m == "" || strings.Contains(m, "paused") {
		t.Errorf("after *48: %q", m)
	}
	dial("*46")
	if m := member("kw-zulassung") + member("moers"); m != "" {
		t.Errorf("after *46: %q", m)
	}
	p.ctl("dial", "*48") // who is no member cannot be ready
	p.waitShow("nicht erreichbar")
}
