package asterisk

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

func TestThePhoneRegistersWithTheBestDigestAlgorithmOffered(t *testing.T) {
	pbx := Start(t)
	pbx.CLI("pjsip set logger on")
	answered := regexp.MustCompile(`(?i)Authorization: Digest[^\r\n]*username="(\d+)"[^\r\n]*algorithm=([A-Z0-9-]+)`)
	for user, want := range map[string]string{"201": "MD5", "202": "SHA-256", "203": "SHA-512-256"} {
		p := startPhone(t, pbx, user)
		pbx.WaitRegistered(user)
		p.waitStatus("registration", "registered")
		got := ""
		for _, m := range answered.FindAllStringSubmatch(pbx.Log(), -1) {
			if m[1] == user {
				got = m[2]
			}
		}
		if got != want {
			t.Errorf("%s answered with %q, want %q", user, got, want)
		}
	}
}

func TestThePhoneRegistersOverTCP(t *testing.T) {
	pbx := Start(t)
	p := startAt(t, fmt.Sprintf("sip:201:%s@%s;transport=tcp", Password, pbx.Address()))
	pbx.WaitRegistered("201")
	if contacts := pbx.CLI("pjsip show aor 201"); !strings.Contains(strings.ToLower(contacts), "transport=tcp") {
		t.Errorf("the contact is not on TCP:\n%s", contacts)
	}
	pbx.Originate("02812070")
	p.waitShow("Kreis Wesel")
	p.ctl("answer")
	p.waitStatus("line1", "talking")
}

func TestAPhoneThatIsSwitchedOffIsRungNoMore(t *testing.T) {
	pbx := Start(t)
	p := startPhone(t, pbx, "201")
	pbx.WaitRegistered("201")
	p.stop()
	pbx.WaitGone("201")
}

func TestAWrongPasswordStandsOnThePanel(t *testing.T) {
	pbx := Start(t)
	p := startAt(t, "sip:203:falsch@"+pbx.Address())
	p.waitShow("Konto/Passwort falsch")
	if said := p.said(); strings.Contains(said, "falsch") {
		t.Errorf("the password stands in the log:\n%s", said)
	}
}

func TestAnUnknownAccountStandsOnThePanel(t *testing.T) {
	pbx := Start(t)
	startPhone(t, pbx, "204").waitShow("Keine Verbindung zur Anlage", "Nebenstelle unbekannt")
}

// Asterisk does not tell strangers who exists: it answers as to a wrong password.
func TestAnAccountThatNobodyKnowsStandsOnThePanel(t *testing.T) {
	pbx := Start(t)
	startPhone(t, pbx, "299").waitShow("Keine Verbindung zur Anlage", "Konto/Passwort falsch")
}

func TestAPBXThatIsAwayAtTheStartIsFoundWhenItComes(t *testing.T) {
	pbx := Start(t)
	pbx.Stop()
	p := startPhone(t, pbx, "201")
	p.waitStatus("registration", "failed")
	p.waitShow("Anlage nicht erreichbar")
	pbx.Restart()
	pbx.WaitRegistered("201")
	p.waitStatus("registration", "registered")
}

func TestThePhoneSurvivesARestartOfThePBX(t *testing.T) {
	pbx := Start(t)
	p := startPhone(t, pbx, "201")
	pbx.WaitRegistered("201")
	pbx.Restart()
	pbx.WaitRegistered("201")
	pbx.Originate("02812070")
	p.waitShow("Kreis Wesel")
	p.ctl("answer")
	p.waitStatus("line1", "talking")
}
