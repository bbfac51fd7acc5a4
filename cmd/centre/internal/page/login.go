package page

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
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

// A session is a supervisor who is logged in.
type session struct {
	Token
	secret string // that his browser has
}

// form is the token that forms of this session carry: another page cannot know it.
func (s session) form() string {
	sum := sha256.Sum256([]byte("form " + s.secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// valid finds the token of a secret; Until is looked at here, whatever the store does.
func (p *Page) valid(r *http.Request, kind TokenKind, secret string) (Token, bool, error) {
	token, ok, err := p.config.Tokens.Find(r.Context(), sha256.Sum256([]byte(secret)))
	ok = ok && err == nil && token.Kind == kind && (token.Until.IsZero() || time.Now().Before(token.Until))
	return token, ok, err
}

// session is who sent the request.
func (p *Page) session(r *http.Request) (session, bool, error) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return session{}, false, nil // no cookie
	}
	token, ok, err := p.valid(r, SessionToken, cookie.Value)
	return session{token, cookie.Value}, ok, err
}

// supervised answers supervisors alone, and takes forms of their own session alone.
func (p *Page) supervised(answer func(http.ResponseWriter, *http.Request, session)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, ok, err := p.session(r)
		switch {
		case err != nil:
			p.away(w, r, "looking for a session", err)
		case !ok && r.URL.Path == "/events":
			http.Error(w, "not logged in", http.StatusUnauthorized)
		case !ok:
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
	some, err := p.config.Accounts.Any(r.Context())
	if err != nil {
		p.away(w, r, "looking for supervisors", err)
		return
	}
	e.Nobody = !some
	p.render(w, r, status, "login", sheet{Content: e, Problem: problem})
}

func (p *Page) login(w http.ResponseWriter, r *http.Request) {
	name, password := strings.TrimSpace(r.PostFormValue("name")), r.PostFormValue("password")
	words := speech{chosen(w, r), p.config.Place}
	if name == "" || password == "" || len(name) > nameMax || len(password) > passwordMax {
		p.entrance(w, r, http.StatusBadRequest, entrance{Name: clip(name, nameMax)}, words.say("login-missing"))
		return
	}
	source := sourceOf(r.RemoteAddr)
	if wait := p.throttle.begin(time.Now(), source, strings.ToLower(name)); wait > 0 {
		seconds := int(math.Ceil(wait.Seconds()))
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
		p.entrance(w, r, http.StatusTooManyRequests, entrance{Name: name}, words.say("login-wait", seconds))
		return
	}
	ok, err := p.check(r, name, password)
	if err != nil {
		p.away(w, r, "checking a password", err)
		return
	}
	if !ok {
		p.log.Warn("page: a login failed", "source", source)
		p.entrance(w, r, http.StatusUnauthorized, entrance{Name: name}, words.say("login-wrong"))
		return
	}
	p.throttle.succeed(source, strings.ToLower(name))
	if old, ok, _ := p.session(r); ok {
		_ = p.config.Tokens.Forget(r.Context(), old.Hash) // it would end by itself
	}
	now := time.Now()
	secret, token := newToken(Token{Kind: SessionToken, Owner: name, Made: now, Until: now.Add(sessionLasts)})
	if err := p.config.Tokens.Keep(r.Context(), token); err != nil {
		p.away(w, r, "keeping a session", err)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: secret, Path: "/", MaxAge: int(sessionLasts.Seconds()),
		Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// check checks a password when it is its turn.
func (p *Page) check(r *http.Request, name, password string) (bool, error) {
	select {
	case p.checks <- struct{}{}:
		defer func() { <-p.checks }()
	case <-r.Context().Done():
		return false, errors.New("the browser has gone")
	}
	return p.config.Accounts.Check(r.Context(), name, password)
}

func (p *Page) logout(w http.ResponseWriter, r *http.Request, s session) {
	if err := p.config.Tokens.Forget(r.Context(), s.Hash); err != nil {
		p.away(w, r, "ending a session", err)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Path: "/", MaxAge: -1, Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	http.Redirect(w, r, "/login?out", http.StatusSeeOther)
}

// newToken makes a secret of 256 bits and the token that is kept of it.
func newToken(token Token) (secret string, kept Token) {
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails: crypto/rand ends the program first
	secret = base64.RawURLEncoding.EncodeToString(random)
	token.Hash = sha256.Sum256([]byte(secret))
	return secret, token
}

// clip shortens a text to so many bytes, at a letter's end.
func clip(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "")
}
