package page

import (
	"context"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestRequestsFromElsewhereAreRefused(t *testing.T) {
	d := newDesk(t)
	own := strings.TrimPrefix(d.server.URL, "http://")
	_, port, _ := net.SplitHostPort(own)
	for _, c := range []struct {
		name, method, path, host, origin string
		want                             int
	}{
		{"a name that points here", "GET", "/", "attacker.example:" + port, "", 403},
		{"a name that begins like ours", "GET", "/", "localhost.attacker.example:" + port, "", 403},
		{"another port", "GET", "/", "127.0.0.1:1", "", 403},
		{"no port", "GET", "/", "127.0.0.1", "", 403},
		{"another address", "GET", "/", "192.0.2.1:" + port, "", 403},
		{"another origin", "GET", "/", own, "http://attacker.example", 403},
		{"another port's origin", "GET", "/socket", own, "http://127.0.0.1:1", 403},
		{"a secure origin", "GET", "/socket", own, "https://" + own, 403},
		{"an opaque origin", "GET", "/socket", own, "null", 403},
		{"another name of this machine", "GET", "/socket", own, "http://localhost:" + port, 403},
		{"a socket without origin", "GET", "/socket", own, "", 403},
		{"a form of another origin", "POST", "/", own, "http://attacker.example", 403},
		{"a form of our own", "POST", "/", own, "http://" + own, 405},
		{"a file that is not there", "GET", "/nothing.js", own, "", 404},
		{"a way out of the files", "GET", "/../page.go", own, "", 404},
		{"a socket that is none", "GET", "/socket", own, "http://" + own, 426},

		{"by address", "GET", "/", own, "", 200},
		{"by name", "GET", "/", "localhost:" + port, "", 200},
		{"by IPv6 address", "GET", "/", "[::1]:" + port, "", 200},
		{"our own origin", "GET", "/script/main.js", own, "http://" + own, 200},
		{"head only", "HEAD", "/", own, "", 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := strings.Count(d.log.String(), "refused a request")
			request, err := http.NewRequest(c.method, d.server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.URL.Path, request.Host = c.path, c.host
			if c.origin != "" {
				request.Header.Set("Origin", c.origin)
			}
			response, err := http.DefaultTransport.RoundTrip(request)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != c.want {
				t.Errorf("status %d, want %d", response.StatusCode, c.want)
			}
			logged := strings.Count(d.log.String(), "refused a request") - before
			if want := c.want == 403; (logged == 1) != want {
				t.Errorf("%d log lines for status %d", logged, c.want)
			}
			for name, want := range map[string]string{
				"Content-Security-Policy": policy, "X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff",
			} {
				if got := response.Header.Get(name); got != want {
					t.Errorf("%s is %q", name, got)
				}
			}
		})
	}
}

func TestARequestOverAnotherInterfaceIsRefused(t *testing.T) {
	request := httptest.NewRequest("GET", "/", nil)
	request.Host = "localhost:80"
	for _, local := range []any{nil, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80}, &net.UnixAddr{}} {
		ctx := context.WithValue(t.Context(), http.LocalAddrContextKey, local)
		if refuse(request.WithContext(ctx)) == "" {
			t.Errorf("answered over %v", local)
		}
	}
	ctx := context.WithValue(t.Context(), http.LocalAddrContextKey, &net.TCPAddr{IP: net.IPv6loopback, Port: 80})
	for _, host := range []string{"localhost", "[::1]", "127.0.0.1:80"} {
		request.Host = host
		if reason := refuse(request.WithContext(ctx)); reason != "" {
			t.Errorf("%s: %s", host, reason)
		}
	}
}

func TestAPageOfAnotherOriginPressesNoKey(t *testing.T) {
	d := newDesk(t)
	_, response, err := d.dial("http://attacker.example")
	if err == nil || response == nil || response.StatusCode != http.StatusForbidden {
		t.Fatalf("accepted: %v", err)
	}
	if log := d.log.String(); !strings.Contains(log, `reason="another origin"`) || !strings.Contains(log, "http://attacker.example") {
		t.Errorf("the log says %q", log)
	}
	d.wantStill()
}

func TestThePageSpeaksTheChosenLanguageBeforeItHasASocket(t *testing.T) {
	d := newDesk(t)
	d.page.setLanguage("en")
	response, err := http.Get(d.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`lang="en"`, "<title>" + label("en", LabelTitle) + "</title>", "needs JavaScript"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in the page", want)
		}
	}
}

// texts are all files of the page by name.
func texts(t *testing.T) map[string]string {
	all := map[string]string{}
	err := fs.WalkDir(assets, "assets", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := assets.ReadFile(name)
		all[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestThePageNeedsNothingFromElsewhere(t *testing.T) {
	files := texts(t)
	address := regexp.MustCompile(`(?i)(https?:)?//[a-z0-9-]+\.[a-z]`)
	reference := regexp.MustCompile(`(?:href="|src="|from "|new URL\(")([^"#][^"]*)"`)
	for name, text := range files {
		text = strings.ReplaceAll(text, "http://www.w3.org/2000/svg", "") // a name, not an address
		if found := address.FindString(text); found != "" {
			t.Errorf("%s names %q", name, found)
		}
		if strings.Contains(text, " style=") || strings.Contains(text, "onclick") {
			t.Errorf("%s has inline style or script, which the policy forbids", name)
		}
		for _, match := range reference.FindAllStringSubmatch(text, -1) {
			if _, ok := files[path.Join(path.Dir(name), match[1])]; !ok {
				t.Errorf("%s needs %s, which is not there", name, match[1])
			}
		}
	}
}

func TestEveryWordOfThePageIsListedAndHasATextInEveryLanguage(t *testing.T) {
	listed := Labels()
	named := regexp.MustCompile(`(?:data-text="|data-name="|word\(")([^"]+)"`)
	for name, text := range texts(t) {
		for _, match := range named.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(listed, Label(match[1])) {
				t.Errorf("%s names %q, which is not listed", name, match[1])
			}
		}
	}
	for i, id := range listed {
		if slices.Contains(listed[:i], id) {
			t.Errorf("%s is listed twice", id)
		}
		for _, language := range []string{"de", "en"} {
			if text := label(language, id); text == "" || text == string(id) {
				t.Errorf("%s has no text in %s", id, language)
			}
		}
	}
}
