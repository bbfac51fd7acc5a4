package registrar

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
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

// String names the account without its password.
func (a Account) String() string { return a.User }

// A Verdict is what the check of a request's credentials came to.
type Verdict uint8

// The verdicts.
const (
	NoCredentials Verdict = iota // the user must be challenged
	StaleNonce                   // right, but the nonce is too old or was used before: challenge with stale=true
	WrongPassword
	Granted
)

// A Gate makes digest challenges and checks the answers (RFC 3261 section 22, RFC 7616, RFC 8760). It keeps no list of the
// nonces it gave out: they carry their time and a seal.
type Gate struct {
	realm  string
	secret []byte
	life   time.Duration
	issued uint64            // makes every nonce different
	counts map[string]uint64 // highest nc seen, by nonce that is still alive
}

// NewGate makes a gate. Nonces of one gate mean nothing to another with a different secret.
func NewGate(realm string, secret []byte, life time.Duration) *Gate {
	return &Gate{realm: realm, secret: secret, life: life, counts: map[string]uint64{}}
}

// nonce is time, serial number and seal in hexadecimal.
func (g *Gate) nonce(now time.Time) string {
	g.issued++
	text := fmt.Sprintf("%x-%x", now.UnixNano(), g.issued)
	return text + "-" + g.seal(text)
}

func (g *Gate) seal(text string) string {
	mac := hmac.New(sha256.New, g.secret)
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil)[:12])
}

// age of a nonce; false means it is not ours.
func (g *Gate) age(now time.Time, nonce string) (time.Duration, bool) {
	cut := strings.LastIndexByte(nonce, '-')
	if cut < 0 || subtle.ConstantTimeCompare([]byte(nonce[cut+1:]), []byte(g.seal(nonce[:cut]))) != 1 {
		return 0, false
	}
	stamp, _, _ := strings.Cut(nonce, "-")
	made, err := strconv.ParseInt(stamp, 16, 64)
	return now.Sub(time.Unix(0, made)), err == nil
}

// Challenges are the values of WWW-Authenticate or Proxy-Authenticate, one for each algorithm, the account's favourite
// first (RFC 8760 section 2.3: the topmost is the one the server prefers).
func (g *Gate) Challenges(now time.Time, account *Account, stale bool) []string {
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

// Check looks for credentials of our realm in the header fields of that name.
func (g *Gate) Check(now time.Time, request *sip.Request, header string, account *Account) Verdict {
	for _, h := range request.GetHeaders(header) {
		given, err := digest.ParseCredentials(h.Value())
		if err != nil || given.Realm != g.realm {
			continue
		}
		return g.judge(now, string(request.Method), given, account)
	}
	return NoCredentials
}

func (g *Gate) judge(now time.Time, method string, given *digest.Credentials, account *Account) Verdict {
	age, ours := g.age(now, given.Nonce)
	if !ours {
		return NoCredentials // of an exchange before its restart: the phone cannot know, so no blame
	}
	algorithm := cmp.Or(given.Algorithm, "MD5")
	allowed := len(account.Algorithms) == 0 || slices.ContainsFunc(account.Algorithms, func(a string) bool { return strings.EqualFold(a, algorithm) })
	if given.QOP != "auth" || given.Nc <= 0 || !allowed || given.Username != account.User {
		return WrongPassword
	}
	want, err := digest.Digest(
		&digest.Challenge{Realm: g.realm, Nonce: given.Nonce, Algorithm: algorithm, QOP: []string{"auth"}},
		digest.Options{Method: method, URI: given.URI, Username: account.User, Password: account.Password, Cnonce: given.Cnonce, Count: given.Nc})
	if err != nil || subtle.ConstantTimeCompare([]byte(want.Response), []byte(strings.ToLower(given.Response))) != 1 {
		return WrongPassword
	}
	// RFC 7616 section 3.3: stale says that the password was right and only the nonce is not accepted.
	// Section 3.4: the nonce count lets the server detect replays.
	if age > g.life || uint64(given.Nc) <= g.counts[given.Nonce] {
		return StaleNonce
	}
	for nonce := range g.counts {
		if old, _ := g.age(now, nonce); old > g.life {
			delete(g.counts, nonce)
		}
	}
	g.counts[given.Nonce] = uint64(given.Nc)
	return Granted
}
