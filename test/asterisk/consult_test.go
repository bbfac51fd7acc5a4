package asterisk

import (
	"strings"
	"testing"
)

// agentHz is what the agent says: neither the citizen nor the office.
const agentHz = 440

// consultation is an agent who talks with a citizen of the queue and has called an office for him; it rings there.
type consultation struct {
	pbx           *PBX
	citizen       *Citizen
	agent, office *phone
	heard         func() []int16 // by the office
}

func startConsultation(t *testing.T) consultation {
	t.Helper()
	pbx := Start(t)
	sound, heard := recording(t)
	c := consultation{pbx: pbx, heard: heard, agent: startPhone(t, pbx, "201", "-sound", "tone:440"), office: startPhone(t, pbx, "203", "-sound", sound)}
	pbx.WaitRegistered("201")
	pbx.WaitRegistered("203")
	c.citizen = pbx.Originate("02812070")
	c.agent.waitStatus("line1", "ringing")
	c.agent.ctl("answer")
	c.agent.waitStatus("line1", "talking")
	c.agent.ctl("consult", "203")
	c.agent.waitStatus("line1", "held")
	c.office.waitStatus("line1", "ringing")
	c.agent.waitStatus("line2", "ringing-out")
	return c
}

// joined checks that citizen and office hear each other and nobody else, and that the agent is free.
func (c consultation) joined(t *testing.T) {
	t.Helper()
	c.agent.waitIdle()
	c.office.waitStatus("line1", "talking")
	var said []int16
	before := len(c.citizen.Heard())
	c.office.wait("the citizen hears the office for 2 s", func() bool {
		said = c.citizen.Heard()
		return ToneSeconds(said[min(before, len(said)):], phoneTone) >= 2
	})
	for line := range strings.Lines(c.agent.try("transcript")) {
		if strings.Contains(line, "join call=") || strings.Contains(line, "transfer-failed") || strings.Contains(line, "ended call=") {
			t.Log(strings.TrimSpace(line))
		}
	}
	next := c.pbx.Originate("02812070") // the agent is free: the queue offers him the next call
	c.agent.waitStatus("line1", "ringing")
	next.HangUp()
	c.agent.waitIdle()
	if !c.citizen.Present() {
		t.Fatal("the citizen is gone")
	}
	c.office.ctl("hangup")
	c.citizen.WaitGone()
	c.office.stop()
	if got := ToneSeconds(said[min(before, len(said)):], agentHz); got > 0.3 {
		t.Errorf("the citizen heard the agent for %.1f s after he had left", got)
	}
	if got := ToneSeconds(c.heard(), CitizenHz); got < 1 {
		t.Errorf("the office heard the citizen for %.1f s of 2 and more", got)
	}
}

func TestAnAttendedTransferAfterTheOfficeHasAnswered(t *testing.T) {
	c := startConsultation(t)
	c.office.ctl("answer")
	c.agent.waitStatus("line2", "talking")
	c.agent.ctl("join")
	c.joined(t)
}

func TestAnAttendedTransferWhileItRings(t *testing.T) {
	c := startConsultation(t)
	c.agent.ctl("join")
	c.agent.waitIdle()
	if !c.citizen.Present() {
		t.Fatal("the citizen is gone")
	}
	c.office.waitStatus("line1", "ringing")
	c.office.ctl("answer")
	c.joined(t)
}

func TestAConsultationThatIsBusyBringsTheCitizenBack(t *testing.T) {
	pbx := Start(t)
	p := startPhone(t, pbx, "201")
	pbx.WaitRegistered("201")
	citizen := pbx.Originate("02812070")
	p.waitStatus("line1", "ringing")
	p.ctl("answer")
	p.waitStatus("line1", "talking")
	p.ctl("consult", "604")
	p.waitShow("Besetzt")
	p.waitStatus("line1", "talking")
	if !citizen.Present() {
		t.Error("the citizen is gone")
	}
}
