package asterisk

import (
	"fmt"
	"net"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"freizeichen/test/tool"
)

// exchange sends one datagram and returns the first response's lines.
func exchange(t *testing.T, pbx *PBX, request string) []string {
	t.Helper()
	conn, err := net.Dial("udp", pbx.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	request = strings.NewReplacer("\n", "\r\n", "LOCAL", conn.LocalAddr().String()).Replace(request)
	if _, err := conn.Write([]byte(request)); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 64<<10)
	n, err := conn.Read(answer)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(answer[:n])), "\r\n")
}

// The phones of the tests stand on this: what Asterisk offers is what they must answer.
func TestAsteriskOffersEachPhoneItsDigestAlgorithms(t *testing.T) {
	pbx := Start(t)
	for user, want := range map[string][]string{"201": {"MD5"}, "202": {"SHA-256"}, "203": {"SHA-512-256", "SHA-256", "MD5"}} {
		lines := exchange(t, pbx, fmt.Sprintf("REGISTER sip:%[2]s SIP/2.0\nVia: SIP/2.0/UDP LOCAL;branch=z9hG4bK%[1]s;rport\nMax-Forwards: 70\n"+
			"From: <sip:%[1]s@%[2]s>;tag=a\nTo: <sip:%[1]s@%[2]s>\nCall-ID: a%[1]s\nCSeq: 1 REGISTER\nContact: <sip:%[1]s@LOCAL>\nContent-Length: 0\n\n", user, pbx.Address()))
		var got []string
		for _, line := range lines {
			if rest, ok := strings.CutPrefix(line, "WWW-Authenticate: Digest "); ok {
				for part := range strings.SplitSeq(rest, ",") {
					if algorithm, ok := strings.CutPrefix(strings.TrimSpace(part), "algorithm="); ok {
						got = append(got, algorithm)
					}
				}
			}
		}
		if lines[0] != "SIP/2.0 401 Unauthorized" || !slices.Equal(got, want) {
			t.Errorf("%s: %s, algorithms %q, want %q", user, lines[0], got, want)
		}
	}
}

func TestACitizenWhomNobodyCanServeIsSentAway(t *testing.T) {
	pbx := Start(t)
	for _, number := range []string{"02812070", "115", "201"} {
		pbx.Originate(number).WaitGone()
	}
	if strings.Count(pbx.Log(), "Queue(") == 0 {
		t.Error("no call reached a queue")
	}
}

// SIPp calls the echo, talks and hangs up: the way of every citizen from outside.
func TestAStrangerCallsThroughTheCarrier(t *testing.T) {
	sipp := tool.SIPp(t)
	pbx := Start(t)
	out, err := exec.Command(sipp, "-sn", "uac", "-s", "600", "-m", "3", "-r", "3", "-d", "200", "-nostdin", "-timeout", "20", "-i", "127.0.0.1",
		pbx.Address()).CombinedOutput()
	if err != nil {
		t.Errorf("SIPp: %v\n%s", err, tail(string(out), 30))
	}
}

func TestARestartForgetsTheRegistrations(t *testing.T) {
	pbx := Start(t)
	first := pbx.PID()
	pbx.CLI("database put registrar/contact x y")
	address := pbx.Address()
	pbx.Restart()
	if pbx.PID() == first || pbx.Address() != address {
		t.Errorf("process %d at %s, was %d at %s", pbx.PID(), pbx.Address(), first, address)
	}
	if out := pbx.CLI("database show registrar"); !strings.Contains(out, "0 results") {
		t.Errorf("it remembers %s", out)
	}
}

func TestTwoExchangesRunBesideEachOther(t *testing.T) {
	a, b := Start(t), Start(t)
	if a.Address() == b.Address() {
		t.Errorf("both at %s", a.Address())
	}
	if !strings.Contains(a.CLI("pjsip show endpoints"), "203") || !strings.Contains(b.CLI("pjsip show endpoints"), "203") {
		t.Error("one of them has no phones")
	}
}
