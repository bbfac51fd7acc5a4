package page

import (
	"cmp"
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
	Links []Token
	Made  string // the address of the link that has just been made: it is shown once
	Label string
}

func (p *Page) links(w http.ResponseWriter, r *http.Request, s session) {
	p.shelf(w, r, s, http.StatusOK, shelf{}, "")
}

func (p *Page) shelf(w http.ResponseWriter, r *http.Request, s session, status int, content shelf, problem string) {
	links, err := p.config.Tokens.List(r.Context(), BoardToken)
	if err != nil {
		p.away(w, r, "reading the links", err)
		return
	}
	slices.SortFunc(links, func(a, b Token) int {
		return cmp.Or(a.Made.Compare(b.Made), cmp.Compare(a.Label, b.Label))
	})
	content.Links = links
	p.render(w, r, status, "links", sheet{Who: s.Owner, Token: s.form(), Content: content, Problem: problem})
}

func (p *Page) linkMade(w http.ResponseWriter, r *http.Request, s session) {
	words := speech{chosen(w, r), p.config.Place}
	label := strings.TrimSpace(r.PostFormValue("label"))
	if label == "" || len([]rune(label)) > labelMax {
		p.shelf(w, r, s, http.StatusBadRequest, shelf{}, words.say("links-label-missing", labelMax))
		return
	}
	links, err := p.config.Tokens.List(r.Context(), BoardToken)
	if err != nil {
		p.away(w, r, "reading the links", err)
		return
	}
	if len(links) >= linksMax {
		p.shelf(w, r, s, http.StatusConflict, shelf{}, words.say("links-full", linksMax))
		return
	}
	secret, token := newToken(Token{Kind: BoardToken, Owner: s.Owner, Label: label, Made: time.Now()})
	if err := p.config.Tokens.Keep(r.Context(), token); err != nil {
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
	// Only links are forgotten here: the hash of a session is shown to nobody, and is no link.
	token, ok, err := p.config.Tokens.Find(r.Context(), [32]byte(sum))
	if err == nil && ok && token.Kind == BoardToken {
		err = p.config.Tokens.Forget(r.Context(), token.Hash)
	}
	if err != nil {
		p.away(w, r, "revoking a link", err)
		return
	}
	http.Redirect(w, r, "/links", http.StatusSeeOther)
}

// wallboardLink opens the wallboard by a link. The address is left at once, so that the screen does not show it.
func (p *Page) wallboardLink(w http.ResponseWriter, r *http.Request) {
	_, ok, err := p.valid(r, BoardToken, r.PathValue("token"))
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

// boardToken is what opens the wallboard for a request: a link, or a session.
func (p *Page) boardToken(r *http.Request) (Token, bool, error) {
	if cookie, err := r.Cookie(boardCookie); err == nil {
		if token, ok, err := p.valid(r, BoardToken, cookie.Value); ok || err != nil {
			return token, ok, err
		}
	}
	s, ok, err := p.session(r)
	return s.Token, ok, err
}

func (p *Page) wallboard(w http.ResponseWriter, r *http.Request) {
	_, ok, err := p.boardToken(r)
	_, noLink := r.Cookie(boardCookie)
	switch {
	case err != nil:
		p.away(w, r, "looking for a link", err)
	case !ok && noLink == nil:
		p.problem(w, r, http.StatusForbidden, "problem-link")
	case !ok:
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
	token, ok, err := p.boardToken(r)
	if err != nil || !ok {
		http.Error(w, "not logged in, or a link that is not valid any more", http.StatusUnauthorized)
		return
	}
	p.stream(w, r, token, "board", p.boardToken)
}
