package browser

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// handshake is what a browser sends to open a web socket (RFC 6455 section 4.1), besides Host and Origin.
var handshake = map[string]string{
	"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}

func TestOnlyItsOwnPageReachesThePhone(t *testing.T) {
	p := startPhoneAt(t, startExchange(t))
	host := p.address()
	port := host[strings.LastIndex(host, ":"):]
	for _, test := range []struct {
		what, path, host, origin string
		want                     int
	}{
		{"another port of this machine", "/socket", host, "http://127.0.0.1:1", http.StatusForbidden},
		{"a site", "/socket", host, "https://servicecenter.example", http.StatusForbidden},
		{"the same host by https", "/socket", host, "https://" + host, http.StatusForbidden},
		{"a sandboxed frame or a file", "/socket", host, "null", http.StatusForbidden},
		{"no browser", "/socket", host, "", http.StatusForbidden},
		{"another name of this machine", "/socket", host, "http://localhost" + port, http.StatusForbidden},
		{"a name that has been rebound", "/socket", foreignHost + port, "http://" + foreignHost + port, http.StatusForbidden},
		{"the page at a rebound name", "/", foreignHost + port, "", http.StatusForbidden},
		{"a script at a rebound name", "/script/main.js", foreignHost + port, "", http.StatusForbidden},
		{"the right name with another port", "/", "127.0.0.1:1", "", http.StatusForbidden},

		{"the page", "/", host, "", http.StatusOK},
		{"the page by name", "/", "localhost" + port, "", http.StatusOK},
		{"the page's own socket", "/socket", host, "http://" + host, http.StatusSwitchingProtocols},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, strings.TrimSuffix(p.url, "/")+test.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = test.host
		for name, value := range handshake {
			request.Header.Set(name, value)
		}
		if test.origin != "" {
			request.Header.Set("Origin", test.origin)
		}
		response, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			t.Errorf("%s: %v", test.what, err)
			continue
		}
		response.Body.Close()
		if response.StatusCode != test.want {
			t.Errorf("%s: status %d, want %d", test.what, response.StatusCode, test.want)
		}
	}
}

// attack is a page elsewhere that would like to lift the handset.
const attack = `<!DOCTYPE html><html lang="en"><title>x</title><body>
<iframe name="phone" src="http://%[1]s/"></iframe>
<script>
	window.tried = (async () => {
		const opened = await new Promise((done) => {
			const socket = new WebSocket("ws://%[1]s/socket");
			socket.onopen = () => { socket.send('{"hook":"up"}'); done("opened"); };
			socket.onclose = () => done("refused");
		});
		const post = await fetch("http://%[1]s/socket", { method: "POST", mode: "no-cors", body: '{"hook":"up"}' })
			.then((r) => r.type, () => "refused");
		const read = await fetch("http://%[1]s/").then((r) => r.text(), () => "refused");
		return [opened, post, read].join(" ");
	})();
</script>`

func TestAPageOfAnotherOriginLeavesThePhoneAlone(t *testing.T) {
	b := startBrowser(t, withMicrophone)
	p := startPhoneAt(t, startExchange(t))
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, fmt.Sprintf(attack, p.address()))
	}))
	defer elsewhere.Close()
	tab := b.open(elsewhere.URL)
	tab.refused = true
	// What a browser does with the POST's answer is its own affair; it must be none that the page can use.
	tried := get[string](tab, `tried`)
	if tried != "refused refused refused" && tried != "refused opaque refused" {
		t.Errorf("socket, POST and GET from another origin: %s", tried)
	}
	if faults := strings.Join(tab.takeFaults(), "\n"); !strings.Contains(faults, "403") {
		t.Errorf("the browser was not refused with 403:\n%s", faults)
	}

	rebound := b.open(strings.Replace(p.url, "127.0.0.1", foreignHost, 1))
	rebound.refused = true
	rebound.until(`document.body.textContent.includes("unknown host name") && !document.querySelector("button")`)

	if transcript := p.ctl("transcript"); strings.Contains(transcript, " hook ") || strings.Contains(transcript, " key ") {
		t.Errorf("somebody has touched the phone:\n%s", transcript)
	}
	p.ctl("press", "lift") // such a touch would have been seen
	if transcript := p.ctl("transcript"); !strings.Contains(transcript, " hook ") {
		t.Errorf("a touch is not seen in\n%s", transcript)
	}
}
