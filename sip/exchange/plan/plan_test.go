package plan

import "testing"

func TestAPlanFindsWhatIsInIt(t *testing.T) {
	p := Municipal()
	for dialled, want := range map[string]string{"": "", "5099": "", "511": "", "50-36": "Fachdienst Straßenverkehr", "(50).90": "Echo", "112": "DEMO: kein Notruf 112"} {
		name := ""
		if d := p.Find(Number(dialled)); d != nil {
			name = d.Name
		}
		if name != want {
			t.Errorf("%q leads to %q, want %q", dialled, name, want)
		}
	}
}

func TestEveryNumberLeadsToOneDestinationOnly(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range Municipal() {
		if seen[d.Number] || d.Name == "" || Number(d.Number) != d.Number {
			t.Errorf("%+v", d)
		}
		seen[d.Number] = true
	}
}
