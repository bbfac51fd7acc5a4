package page

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"freizeichen/cmd/centre/internal/page/throttle"
)

// sessionLasts is a shift with some hours before and after it. A session does not grow by use: the page is open all day.
const sessionLasts = 12 * time.Hour

// Names of cookies. RFC 6265bis section 4.1.3.2: "__Host-" is taken by HTTPS, for this host and all paths alone.
const (
	sessionCookie = "__Host-session"
	boardCookie   = "__Host-wallboard"
)

// Limits of what is typed, in bytes.
const (
	nameMax     = 64
	passwordMax = 1024
)

// checksMax is how many passwords are checked at once: each costs processor and memory on purpose.
const checksMax = 2

// A session is a supervisor who is logged in.
type session struct {
	owner string
	token string // that his browser has; empty: nobody is logged in
}

// form is the token that forms of this session carry: another page cannot know it.
func (s session) form() string {
	sum := sha256.Sum256([]byte("form " + s.token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// session is who sent the request.
func (p *Page) session(r *http.Request) (session, error) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil || cookie.Value == "" {
		return session{}, nil
	}
	owner, err := p.config.Accounts.Session(r.Context(), time.Now(), cookie.Value)
	if err != nil || owner == "" {
		return session{}, err
	}
	return session{owner, cookie.Value}, nil
}

// supervised answers supervisors alone, and takes forms of their own session alone.
func (p *Page) supervised(answer func(http.ResponseWriter, *http.Request, session)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := p.session(r)
		switch {
		case err != nil:
			p.away(w, r, "looking for a session", err)
		case s.token == "" && r.URL.Path == "/events":
			http.Error(w, "not logged in", http.StatusUnauthorized)
		case s.token == "":
			chosen(w, r) // what was chosen is remembered
			http.Redirect(w, r, "/login", http.StatusSeeOther)
		case r.Method == http.MethodPost && subtle.ConstantTimeCompare([]byte(r.PostFormValue("token")), []byte(s.form())) != 1:
			p.problem(w, r, http.StatusForbidden, "problem-form")
		default:
			answer(w, r, s)
		}
	})
}

// entrance is what the login page shows.
type entrance struct {
	Nobody bool   // there is no supervisor yet
	Name   string // as it was typed
	Out    bool   // somebody has just logged out
}

func (p *Page) loginForm(w http.ResponseWriter, r *http.Request) {
	p.entrance(w, r, http.StatusOK, entrance{Out: r.URL.Query().Has("out")}, "")
}

func (p *Page) entrance(w http.ResponseWriter, r *http.Request, status int, e entrance, problem string) {
	some, err := p.config.Accounts.Supervisors(r.Context())
	if err != nil {
		p.away(w, r, "looking for supervisors", err)
		return
	}
	e.Nobody = len(some) == 0
	p.render(w, r, status, "login", sheet{Content: e, Problem: problem})
}

func (p *Page) login(w http.ResponseWriter, r *http.Request) {
	name, password := strings.TrimSpace(r.PostFormValue("name")), r.PostFormValue("password")
	words := p.tongue(w, r)
	if name == "" || password == "" || len(name) > nameMax || len(password) > passwordMax {
		p.entrance(w, r, http.StatusBadRequest, entrance{Name: clip(name, nameMax)}, words.Say("login-missing"))
		return
	}
	source := throttle.Source(r.RemoteAddr)
	now := time.Now()
	if wait := p.throttle.Begin(now, source, strings.ToLower(name)); wait > 0 {
		p.slower(w, r, name, wait)
		return
	}
	token, retry, err := p.logIn(r, now, name, password)
	switch {
	case err != nil:
		p.away(w, r, "logging in", err)
		return
	case token == "" && retry.After(now):
		p.log.Warn("page: a name is locked after too many logins that failed", "source", source)
		p.slower(w, r, name, retry.Sub(now))
		return
	case token == "":
		p.log.Warn("page: a login failed", "source", source)
		p.entrance(w, r, http.StatusUnauthorized, entrance{Name: name}, words.Say("login-wrong"))
		return
	}
	p.throttle.Succeed(source, strings.ToLower(name))
	if old, err := p.session(r); err == nil && old.token != "" {
		_ = p.config.Accounts.LogOut(r.Context(), old.token) // it would end by itself
	}
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: token, Path: "/", MaxAge: int(sessionLasts.Seconds()),
		Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// slower says how long to wait before the next attempt.
func (p *Page) slower(w http.ResponseWriter, r *http.Request, name string, wait time.Duration) {
	seconds := int(math.Ceil(wait.Seconds()))
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	p.entrance(w, r, http.StatusTooManyRequests, entrance{Name: name}, p.tongue(w, r).Count("login-wait", seconds))
}

// logIn checks a password when it is its turn.
func (p *Page) logIn(r *http.Request, now time.Time, name, password string) (token string, retry time.Time, err error) {
	select {
	case p.checks <- struct{}{}:
		defer func() { <-p.checks }()
	case <-r.Context().Done():
		return "", time.Time{}, errors.New("the browser has gone")
	}
	return p.config.Accounts.LogIn(r.Context(), now, name, password, sessionLasts)
}

func (p *Page) logout(w http.ResponseWriter, r *http.Request, s session) {
	if err := p.config.Accounts.LogOut(r.Context(), s.token); err != nil {
		p.away(w, r, "ending a session", err)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Path: "/", MaxAge: -1, Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	http.Redirect(w, r, "/login?out", http.StatusSeeOther)
}

// clip shortens a text to so many bytes, at a letter's end.
func clip(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "")
}
