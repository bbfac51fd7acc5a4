package page

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Limits of links to the wallboard.
const (
	linksMax    = 20 // more than a service centre has walls
	labelMax    = 40 // letters
	boardRemind = 400 * 24 * time.Hour
)

// shelf is what the page of links shows.
type shelf struct {
	Links []Link
	Made  string // the address of the link that has just been made: it is shown once
	Label string
}

func (p *Page) links(w http.ResponseWriter, r *http.Request, s session) {
	p.shelf(w, r, s, http.StatusOK, shelf{}, "")
}

func (p *Page) shelf(w http.ResponseWriter, r *http.Request, s session, status int, content shelf, problem string) {
	links, err := p.config.Links.Links(r.Context())
	if err != nil {
		p.away(w, r, "reading the links", err)
		return
	}
	slices.SortFunc(links, func(a, b Link) int {
		return cmp.Or(a.Made.Compare(b.Made), cmp.Compare(a.Label, b.Label))
	})
	content.Links = links
	p.render(w, r, status, "links", sheet{Who: s.owner, Token: s.form(), Content: content, Problem: problem})
}

func (p *Page) linkMade(w http.ResponseWriter, r *http.Request, s session) {
	words := p.tongue(w, r)
	label := strings.TrimSpace(r.PostFormValue("label"))
	if label == "" || len([]rune(label)) > labelMax {
		p.shelf(w, r, s, http.StatusBadRequest, shelf{}, words.Say("links-label-missing", labelMax))
		return
	}
	links, err := p.config.Links.Links(r.Context())
	if err != nil {
		p.away(w, r, "reading the links", err)
		return
	}
	if len(links) >= linksMax {
		p.shelf(w, r, s, http.StatusConflict, shelf{}, words.Say("links-full", linksMax))
		return
	}
	secret := rand.Text() // 128 bits
	if err := p.config.Links.PutLink(r.Context(), Link{sha256.Sum256([]byte(secret)), label, s.owner, time.Now()}); err != nil {
		p.away(w, r, "keeping a link", err)
		return
	}
	p.shelf(w, r, s, http.StatusOK, shelf{Made: "https://" + r.Host + "/wallboard/" + secret, Label: label}, "")
}

func (p *Page) linkRevoked(w http.ResponseWriter, r *http.Request, _ session) {
	sum, err := hex.DecodeString(r.PostFormValue("link"))
	if err != nil || len(sum) != 32 {
		p.problem(w, r, http.StatusBadRequest, "problem-unknown")
		return
	}
	if err := p.config.Links.RemoveLink(r.Context(), [32]byte(sum)); err != nil {
		p.away(w, r, "revoking a link", err)
		return
	}
	http.Redirect(w, r, "/links", http.StatusSeeOther)
}

// wallboardLink opens the wallboard by a link. The address is left at once, so that the screen does not show it.
func (p *Page) wallboardLink(w http.ResponseWriter, r *http.Request) {
	_, ok, err := p.config.Links.Link(r.Context(), sha256.Sum256([]byte(r.PathValue("token"))))
	switch {
	case err != nil:
		p.away(w, r, "looking for a link", err)
		return
	case !ok:
		p.problem(w, r, http.StatusForbidden, "problem-link")
		return
	}
	// Lax: the link may be opened from a mail; it opens nothing but a picture.
	http.SetCookie(w, &http.Cookie{Name: boardCookie, Value: r.PathValue("token"), Path: "/", MaxAge: int(boardRemind.Seconds()),
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	target := "/wallboard"
	if r.URL.RawQuery != "" {
		target += "?" + r.URL.RawQuery
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
}

// boardToken is what opens the wallboard for a request: a link, or a session; empty: nothing does.
func (p *Page) boardToken(r *http.Request) (string, error) {
	if cookie, err := r.Cookie(boardCookie); err == nil {
		if _, ok, err := p.config.Links.Link(r.Context(), sha256.Sum256([]byte(cookie.Value))); ok || err != nil {
			return cookie.Value, err
		}
	}
	s, err := p.session(r)
	return s.token, err
}

func (p *Page) wallboard(w http.ResponseWriter, r *http.Request) {
	token, err := p.boardToken(r)
	_, noLink := r.Cookie(boardCookie)
	switch {
	case err != nil:
		p.away(w, r, "looking for a link", err)
	case token == "" && noLink == nil:
		p.problem(w, r, http.StatusForbidden, "problem-link")
	case token == "":
		http.Redirect(w, r, "/login", http.StatusSeeOther)
	default:
		theme := "dark" // glares least on a wall, and a television tells no preference
		if r.URL.Query().Get("theme") == "light" {
			theme = "light"
		}
		p.render(w, r, http.StatusOK, "wallboard", sheet{Content: p.look(r.Context(), chosen(w, r)), Theme: theme})
	}
}

func (p *Page) wallboardEvents(w http.ResponseWriter, r *http.Request) {
	token, err := p.boardToken(r)
	if err != nil || token == "" {
		http.Error(w, "not logged in, or a link that is not valid any more", http.StatusUnauthorized)
		return
	}
	p.stream(w, r, token, "board", p.boardToken)
}
