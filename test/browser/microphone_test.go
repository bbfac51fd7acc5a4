package browser

import "testing"

func TestWithoutAMicrophoneTheCallWorksAndThePageSaysSo(t *testing.T) {
	for _, test := range []struct {
		name  string
		flags []string
		state string
		words []string
	}{
		{"denied", microphoneDenied, "denied", []string{"gesperrt", "hört Sie nicht"}},
		{"absent", noMicrophone, "absent", []string{"kein Mikrofon", "hört Sie nicht"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := startBrowser(t, test.flags)
			central := startExchange(t)
			p := startPhoneAt(t, central)
			tab := b.openPhone(p)
			central.Call(ada)
			tab.lamp("line1", "fast")
			tab.click("#handset")
			tab.shows("Im Gespräch")
			tab.tells("microphone-text", test.words...)
			tab.until(`document.getElementById("microphone").dataset.state === "` + test.state + `"`)
			tab.until(`counted.received > 50`)
			tab.until(`Number(document.getElementById("sound").dataset.peak) > 0.01`)
			p.says("line1: talking")
			if sent := get[int](tab, `counted.sent`); sent != 0 {
				t.Errorf("%d frames come from a microphone that is %s", sent, test.name)
			}
			tab.click("#handset")
			tab.lamp("line1", "dark")
		})
	}
}
