package page_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/cmd/centre/pagetest"
)

func do(p http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w
}

func TestWithoutASupervisorThePageSaysHowToMakeOne(t *testing.T) {
	centre := &pagetest.Centre{}
	v := newVisitor(t, newPage(t, centre))
	wants(t, text(v.get("/login")), "Es gibt noch keine Aufsicht", "switchboard supervisors add NAME")
	for _, password := range []string{"admin", "password", " "} {
		if w := v.login("admin", password); w.Code != http.StatusUnauthorized && w.Code != http.StatusBadRequest {
			t.Errorf("admin with %q: %d", password, w.Code)
		}
	}
	centre.SetSupervisor("x", "long enough for it")
	refuses(t, v.get("/login"), "supervisors add")
}

func TestALoginGivesACookieThatOnlyThisPageGets(t *testing.T) {
	p := newPage(t, pagetest.Example(time.Now()))
	v := newVisitor(t, p)
	w := v.login(" "+pagetest.Name+" ", pagetest.Password) // spaces come with copying
	cookie := w.Result().Cookies()[0]
	if cookie.Name != "__Host-session" || !cookie.Secure || !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Path != "/" || cookie.Domain != "" {
		t.Errorf("the cookie is %v", cookie)
	}
	before := v.cookies["__Host-session"].Value
	wants(t, v.get("/"), "Angemeldet: "+pagetest.Name)

	// A second login ends the session before it.
	v.login(pagetest.Name, pagetest.Password)
	if v.cookies["__Host-session"].Value == before {
		t.Error("a new login has the old token")
	}
	old := newVisitor(t, p)
	old.cookies["__Host-session"] = &http.Cookie{Name: "__Host-session", Value: before}
	if w := old.do("GET", "/", nil); w.Code != http.StatusSeeOther {
		t.Errorf("the session before is open: %d", w.Code)
	}
}

func TestAWrongNameAndAWrongPasswordLookAlike(t *testing.T) {
	p := newPage(t, pagetest.Example(time.Now()))
	wrong := newVisitor(t, p).login(pagetest.Name, "wrong")
	unknown := newVisitor(t, p).login("Niemand", "wrong")
	if wrong.Code != http.StatusUnauthorized || unknown.Code != http.StatusUnauthorized {
		t.Errorf("%d and %d", wrong.Code, unknown.Code)
	}
	if strings.Replace(wrong.Body.String(), `value="`+pagetest.Name, `value="Niemand`, 1) != unknown.Body.String() {
		t.Error("the answers differ")
	}
	wants(t, text(wrong.Body.String()), "Name oder Passwort stimmen nicht.")
	refuses(t, wrong.Body.String(), "value=\"wrong\"")
	wants(t, text(newVisitor(t, p).login("", "x").Body.String()), "Bitte Name und Passwort eingeben.")
}

func TestGuessingIsSlowedDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPage(t, pagetest.Example(time.Now()))
		v := newVisitor(t, p)
		for range 4 {
			if w := v.login(pagetest.Name, "wrong"); w.Code != http.StatusUnauthorized {
				t.Fatalf("a slip is answered by %d", w.Code)
			}
		}
		last := 0
		for range 6 {
			w := v.login(pagetest.Name, pagetest.Password) // even the right one
			wait, _ := strconv.Atoi(w.Header().Get("Retry-After"))
			if w.Code != http.StatusTooManyRequests || wait <= last {
				t.Fatalf("%d after %d s, before it was %d s", w.Code, wait, last)
			}
			wants(t, text(w.Body.String()), "Zu viele Versuche. Bitte "+strconv.Itoa(wait))
			last = wait
			time.Sleep(time.Duration(wait) * time.Second)
			if w := v.login(pagetest.Name, "wrong"); w.Code != http.StatusUnauthorized {
				t.Fatalf("after the wait: %d", w.Code)
			}
		}
		// Another source may try the name again within a minute, and gets in.
		time.Sleep(time.Minute)
		other := newVisitor(t, p)
		other.remote = "192.0.2.8:1"
		if w := other.login(pagetest.Name, pagetest.Password); w.Code != http.StatusSeeOther {
			t.Errorf("another source: %d", w.Code)
		}
		p.Close()
	})
}

func TestASessionEnds(t *testing.T) {
	for _, test := range []struct {
		name string
		end  func(*pagetest.Centre, *visitor)
	}{
		{"after twelve hours", func(*pagetest.Centre, *visitor) { time.Sleep(12 * time.Hour) }},
		{"with its supervisor", func(c *pagetest.Centre, _ *visitor) { c.SetSupervisor(pagetest.Name, "") }},
		{"by itself", func(_ *pagetest.Centre, v *visitor) {
			if w := v.post("/logout", url.Values{}); w.Header().Get("Location") != "/login?out" {
				v.t.Errorf("logging out: %d %s", w.Code, w.Body)
			}
			wants(v.t, text(v.get("/login?out")), "Sie sind abgemeldet.")
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				centre := pagetest.Example(time.Now())
				p := newPage(t, centre)
				v := enter(t, p)
				cookie := v.cookies["__Host-session"]
				time.Sleep(11 * time.Hour)
				v.get("/")
				test.end(centre, v)
				v.cookies["__Host-session"] = cookie
				if w := v.do("GET", "/", nil); w.Code != http.StatusSeeOther {
					t.Errorf("the session is open: %d", w.Code)
				}
				p.Close()
			})
		})
	}
}
