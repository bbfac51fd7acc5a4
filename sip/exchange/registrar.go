package exchange

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
)

// An Account is one phone's user at the exchange.
type Account struct {
	User       string   // user part of the address of record, and user name of the digest
	Password   string   // never logged
	Name       string   // display name towards other phones; may be empty
	Algorithms []string // one challenge each, in this order; empty means SHA-512-256, SHA-256, MD5 (RFC 8760)
	Contacts   int      // how many bindings live at once: a further one ends the oldest; zero means 1
}

// A verdict is what the check of a request's credentials came to.
type verdict uint8

const (
	noCredentials verdict = iota // the user must be challenged
	staleNonce                   // right, but the nonce is too old or was used before: challenge with stale=true
	wrongPassword
	granted
)

// A gate makes digest challenges and checks the answers (RFC 3261 section 22, RFC 7616, RFC 8760). It keeps no list of the
// nonces it gave out: they carry their time and a seal.
type gate struct {
	realm  string
	secret []byte
	life   time.Duration
	issued uint64            // makes every nonce different
	counts map[string]uint64 // highest nc seen, by nonce that is still alive
}

// nonce is time, serial number and seal in hexadecimal.
func (g *gate) nonce(now time.Time) string {
	g.issued++
	text := fmt.Sprintf("%x-%x", now.UnixNano(), g.issued)
	return text + "-" + g.seal(text)
}

func (g *gate) seal(text string) string {
	mac := hmac.New(sha256.New, g.secret)
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil)[:12])
}

// age of a nonce; false means it is not ours.
func (g *gate) age(now time.Time, nonce string) (time.Duration, bool) {
	cut := strings.LastIndexByte(nonce, '-')
	if cut < 0 || subtle.ConstantTimeCompare([]byte(nonce[cut+1:]), []byte(g.seal(nonce[:cut]))) != 1 {
		return 0, false
	}
	stamp, _, _ := strings.Cut(nonce, "-")
	made, err := strconv.ParseInt(stamp, 16, 64)
	return now.Sub(time.Unix(0, made)), err == nil
}

// challenges are the values of WWW-Authenticate or Proxy-Authenticate, one for each algorithm, the account's favourite
// first (RFC 8760 section 2.3: the topmost is the one the server prefers).
func (g *gate) challenges(now time.Time, account *Account, stale bool) []string {
	algorithms := account.Algorithms
	if len(algorithms) == 0 {
		algorithms = []string{"SHA-512-256", "SHA-256", "MD5"}
	}
	nonce := g.nonce(now)
	var all []string
	for _, algorithm := range algorithms {
		text := fmt.Sprintf(`Digest realm="%s",nonce="%s",algorithm=%s,qop="auth"`, g.realm, nonce, algorithm)
		if stale {
			text += ",stale=true"
		}
		all = append(all, text)
	}
	return all
}

// check looks for credentials of our realm in the header fields of that name.
func (g *gate) check(now time.Time, request *sip.Request, header string, account *Account) verdict {
	for _, h := range request.GetHeaders(header) {
		given, err := digest.ParseCredentials(h.Value())
		if err != nil || given.Realm != g.realm {
			continue
		}
		return g.judge(now, string(request.Method), given, account)
	}
	return noCredentials
}

func (g *gate) judge(now time.Time, method string, given *digest.Credentials, account *Account) verdict {
	age, ours := g.age(now, given.Nonce)
	if !ours {
		return noCredentials // of an exchange before its restart: the phone cannot know, so no blame
	}
	algorithm := cmp.Or(given.Algorithm, "MD5")
	allowed := len(account.Algorithms) == 0 || slices.ContainsFunc(account.Algorithms, func(a string) bool { return strings.EqualFold(a, algorithm) })
	if given.QOP != "auth" || given.Nc <= 0 || !allowed || given.Username != account.User {
		return wrongPassword
	}
	want, err := digest.Digest(
		&digest.Challenge{Realm: g.realm, Nonce: given.Nonce, Algorithm: algorithm, QOP: []string{"auth"}},
		digest.Options{Method: method, URI: given.URI, Username: account.User, Password: account.Password, Cnonce: given.Cnonce, Count: given.Nc})
	if err != nil || subtle.ConstantTimeCompare([]byte(want.Response), []byte(strings.ToLower(given.Response))) != 1 {
		return wrongPassword
	}
	// RFC 7616 section 3.3: stale says that the password was right and only the nonce is not accepted.
	// Section 3.4: the nonce count lets the server detect replays.
	if age > g.life || uint64(given.Nc) <= g.counts[given.Nonce] {
		return staleNonce
	}
	for nonce := range g.counts {
		if old, _ := g.age(now, nonce); old > g.life {
			delete(g.counts, nonce)
		}
	}
	g.counts[given.Nonce] = uint64(given.Nc)
	return granted
}

// A binding is one phone of an account: where it can be reached, and until when.
type binding struct {
	contact   sip.Uri
	source    string // where the REGISTER came from: the way back through NAT and TCP connections
	transport string
	callID    string
	cseq      uint32
	expires   time.Time
	reachable bool      // answered the last OPTIONS; true after REGISTER
	qualify   time.Time // of the next OPTIONS
}

// A registrar keeps the bindings of the accounts (RFC 3261 section 10.3).
type registrar struct {
	bindings map[string][]*binding // by user, oldest first
	shortest time.Duration         // shorter intervals are answered 423
	longest  time.Duration         // longer ones are cut
	qualify  time.Duration
}

// errBinding says which status a REGISTER is refused with.
type errBinding int

func (e errBinding) Error() string { return "exchange: REGISTER refused with " + strconv.Itoa(int(e)) }

// register applies an authenticated REGISTER; a refusal is an errBinding.
func (r *registrar) register(now time.Time, request *sip.Request, account *Account) error {
	r.expire(now)
	fallback := time.Hour // RFC 3261 section 10.2.1.1 leaves the default to the registrar
	if h := request.GetHeader("expires"); h != nil {
		fallback = seconds(h.Value(), fallback)
	}
	contacts := request.GetHeaders("contact")
	callID, cseq := request.CallID().Value(), request.CSeq().SeqNo
	// RFC 3261 section 10.3 step 7: either all of the bindings are changed or none.
	updated := slices.Clone(r.bindings[account.User])
	for _, h := range contacts {
		contact, ok := h.(*sip.ContactHeader)
		if !ok {
			return errBinding(sip.StatusBadRequest)
		}
		if contact.Address.Wildcard {
			// Step 6: "*" must be alone and must expire at once.
			if len(contacts) > 1 || fallback != 0 || request.GetHeader("expires") == nil {
				return errBinding(sip.StatusBadRequest)
			}
			updated = nil
			continue
		}
		expires := fallback
		if text, ok := contact.Params.Get("expires"); ok {
			expires = seconds(text, fallback)
		}
		if expires > 0 && expires < r.shortest {
			return errBinding(sip.StatusIntervalToBrief)
		}
		old := slices.IndexFunc(updated, func(b *binding) bool { return sameURI(b.contact, contact.Address) })
		if old >= 0 {
			// Step 7: an older request of the same Call-ID must not undo a newer one.
			if b := updated[old]; b.callID == callID && cseq <= b.cseq {
				return errBinding(sip.StatusInternalServerError)
			}
			updated = slices.Delete(slices.Clone(updated), old, old+1)
		}
		if expires > 0 {
			updated = append(updated, &binding{
				contact: *contact.Address.Clone(), source: request.Source(), transport: request.Transport(), callID: callID, cseq: cseq,
				expires: now.Add(min(expires, r.longest)), reachable: true, qualify: now.Add(r.qualify),
			})
		}
	}
	if excess := len(updated) - max(1, account.Contacts); excess > 0 {
		updated = updated[excess:]
	}
	r.bindings[account.User] = updated
	return nil
}

// expire forgets bindings whose time is over.
func (r *registrar) expire(now time.Time) {
	for user, list := range r.bindings {
		r.bindings[user] = slices.DeleteFunc(list, func(b *binding) bool { return !now.Before(b.expires) })
	}
}

// contacts are the values of the Contact header fields of the 200, with the time that is left.
func (r *registrar) contacts(now time.Time, user string) []sip.Header {
	var all []sip.Header
	for _, b := range r.bindings[user] {
		params := sip.NewParams()
		params.Add("expires", strconv.Itoa(int(b.expires.Sub(now)/time.Second)))
		all = append(all, &sip.ContactHeader{Address: *b.contact.Clone(), Params: params})
	}
	return all
}

// reachable are the bindings that can be called now.
func (r *registrar) reachable(now time.Time, user string) []*binding {
	var all []*binding
	for _, b := range r.bindings[user] {
		if b.reachable && now.Before(b.expires) {
			all = append(all, b)
		}
	}
	return all
}

// deadline is the first expiry or qualification; zero means never.
func (r *registrar) deadline() time.Time {
	var first time.Time
	for _, list := range r.bindings {
		for _, b := range list {
			first = earliest(first, earliest(b.expires, b.qualify))
		}
	}
	return first
}

// seconds reads a delta-seconds; malformed values count as the fallback (RFC 3261 section 10.3: as 3600).
func seconds(text string, fallback time.Duration) time.Duration {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 32)
	if errors.Is(err, strconv.ErrRange) {
		return 1 << 32 * time.Second
	}
	if err != nil {
		return fallback
	}
	return time.Duration(n) * time.Second
}

// sameURI compares what matters of two Contacts (RFC 3261 section 19.1.4).
func sameURI(a, b sip.Uri) bool {
	return a.User == b.User && strings.EqualFold(a.Host, b.Host) && a.Port == b.Port &&
		strings.EqualFold(a.UriParams.GetOr("transport", ""), b.UriParams.GetOr("transport", ""))
}
