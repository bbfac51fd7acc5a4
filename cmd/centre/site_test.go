package centre

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"freizeichen/cmd/centre/certificate"
	"freizeichen/cmd/centre/roster"
	"freizeichen/firmware/config"
	"freizeichen/firmware/knowledge"
	"freizeichen/firmware/switchboard"
	"freizeichen/sip"
	"freizeichen/sip/acd"
)

func settings(t *testing.T) switchboard.Config {
	dir := t.TempDir()
	s := switchboard.Default()
	s.Data, s.Database = dir, config.NewSecret(filepath.Join(dir, "switchboard.db"))
	s.HTTPS.Listen, s.Metrics = "127.0.0.1:0", "127.0.0.1:0"
	s.Queues = []switchboard.Queue{{Name: "moers", Title: "Stadt Moers", Within: 30 * time.Second, Formula: "offered"}}
	s.Knowledge = filepath.Join(dir, "knowledge.yaml")
	if err := os.WriteFile(s.Knowledge, knowledge.Example(), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// open runs a site until the test ends, and returns a client that trusts it.
func open(t *testing.T, settings switchboard.Config, l *lab) (*Site, *http.Client) {
	t.Helper()
	chain, err := certificate.New(time.Now(), "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := chain.Pair()
	if err != nil {
		t.Fatal(err)
	}
	site, err := OpenSite(t.Context(), SiteConfig{Settings: settings, PBX: l, News: news{l}, Certificate: pair})
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(chain.Authority)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- site.Run(ctx) }()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return site, client
}

// ask is one request of a phone.
func ask(t *testing.T, client *http.Client, site *Site, method, path, secret, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, fmt.Sprintf("https://%s%s", site.Address(), path), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("201", secret)
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, string(text)
}

func TestAPhoneWorksWithASiteAndTheSiteRemembersOverARestart(t *testing.T) {
	s := settings(t)
	var secret string
	signIn := `{"verb":"sign-in","number":"4711","pin":"1234"}`
	t.Run("first", func(t *testing.T) {
		site, client := open(t, s, newLab())
		book := site.Book()
		if err := book.PutAgents(t.Context(), []roster.Agent{{Number: "4711", Name: "Ada", PIN: "1234", Queues: []acd.Serving{{Queue: "moers"}}}}); err != nil {
			t.Fatal(err)
		}
		var err error
		if secret, err = book.AddPhone(t.Context(), "201", "by the window"); err != nil {
			t.Fatal(err)
		}
		for site.Centre().Snapshot().Connected == false { // the lab's sync
			time.Sleep(time.Millisecond)
		}
		if status, _ := ask(t, client, site, "GET", "/v1/agent", "wrong", ""); status != 401 {
			t.Errorf("a wrong secret: %d", status)
		}
		if status, text := ask(t, client, site, "POST", "/v1/agent", secret, signIn); status != 200 || !strings.Contains(text, `"problem":"none"`) || !strings.Contains(text, "Ada") {
			t.Errorf("%d %s", status, text)
		}
		if status, text := ask(t, client, site, "GET", "/v1/knowledge", secret, ""); status != 200 || !strings.Contains(text, "moers") {
			t.Errorf("%d %.200s", status, text)
		}
		if status, text := ask(t, client, site, "GET", "/v1/figures", secret, ""); status != 200 {
			t.Errorf("%d %s", status, text)
		}
		answer, err := http.Get(fmt.Sprintf("http://%s/metrics", site.servers[1].listener.Addr()))
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if text, _ := io.ReadAll(answer.Body); !strings.Contains(string(text), `switchboard_queue_agents_signed_in{queue="moers"} 1`) {
			t.Errorf("%s", text)
		}
		if _, err := OpenBook(t.Context(), s, false); err == nil {
			t.Error("two programs have one file of SQLite open")
		}
	})
	t.Run("again", func(t *testing.T) {
		site, client := open(t, s, newLab())
		for {
			status, text := ask(t, client, site, "GET", "/v1/agent", secret, "")
			if status == 200 && strings.Contains(text, `"4711"`) {
				break
			}
			if status != 200 {
				t.Fatalf("%d %s", status, text)
			}
			time.Sleep(time.Millisecond)
		}
	})
}

func TestWhatIsPromisedOfALineIsDue(t *testing.T) {
	site, _ := open(t, settings(t), newLab())
	known, _ := site.knowledge.Knowledge()
	promised := 0
	for _, tenant := range known.Tenants {
		for _, line := range tenant.Lines {
			due := site.due(sip.OfficeMessage{Tenant: tenant.ID, Line: line.Number, At: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)})
			if (line.Promise.AnswerWithin > 0) == due.IsZero() {
				t.Errorf("%s %s promises %v, due %v", tenant.ID, line.Number, line.Promise.AnswerWithin, due)
			}
			if !due.IsZero() {
				promised++
			}
		}
	}
	if promised == 0 {
		t.Error("the example promises nothing")
	}
	if due := site.due(sip.OfficeMessage{Tenant: "mars"}); !due.IsZero() {
		t.Errorf("%v", due)
	}
}

func TestAFolderForDataIsMadeOrItIsSaid(t *testing.T) {
	s := settings(t)
	s.Data = filepath.Join(s.Data, "data")
	site, _ := open(t, s, newLab())
	if info, err := os.Stat(s.Data); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
	for _, device := range []string{"", "20 1", "201\r\nAction: Originate", "PJSIP/201", "201,a"} {
		if _, err := site.Book().AddPhone(t.Context(), device, ""); err == nil || !strings.Contains(err.Error(), "SIP account") {
			t.Errorf("%q: %v", device, err)
		}
	}
	s2 := settings(t)
	s2.Data = filepath.Join(s2.Data, "no", "data")
	if _, err := OpenSite(t.Context(), SiteConfig{Settings: s2, PBX: newLab(), News: news{newLab()}}); err == nil || !strings.Contains(err.Error(), "data: the folder") {
		t.Errorf("%v", err)
	}
}

func TestAPortInUseIsSaid(t *testing.T) {
	s := settings(t)
	site, _ := open(t, s, newLab())
	s2 := settings(t)
	s2.HTTPS.Listen = site.Address().String()
	if _, err := OpenSite(t.Context(), SiteConfig{Settings: s2, PBX: newLab(), News: news{newLab()}}); err == nil || !strings.Contains(err.Error(), "https.listen") {
		t.Errorf("%v", err)
	}
}
