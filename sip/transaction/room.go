package transaction

import (
	"strings"

	"github.com/emiago/sipgo/sip"
)

// bytesEach is what the requests of others may take up, on average over TransactionsMax: one of a call has 1 to 2 kB.
const bytesEach = 4 << 10

// fieldCost is what a header field takes up besides its text.
const fieldCost = 100

// A room is what the requests of others may occupy while their transactions last: a number and a size. A single host may
// have three quarters of it, so that one who floods us leaves a place for the exchange's requests. (Whoever forges the
// address of each datagram can fill it; our own requests have a room of their own, and go on.)
type room struct {
	max     share
	all     share
	sources map[string]share
}

type share struct{ count, bytes int }

func newRoom(count int) room {
	return room{max: share{count, count * bytesEach}, sources: map[string]share{}}
}

// host is where a request came from, without the port.
func host(r *sip.Request) string {
	source := r.Source()
	return source[:max(0, strings.LastIndexByte(source, ':'))]
}

// size is what a request takes up.
func size(r *sip.Request) int {
	n := len(r.Body()) + len(r.Recipient.User) + len(r.Recipient.Host)
	for _, h := range r.Headers() {
		n += fieldCost + len(h.Name()) + len(h.Value())
	}
	return n
}

// admits reports whether there is a place for a request of a host.
func (r *room) admits(host string, bytes int) bool {
	of := r.sources[host]
	most := share{r.max.count - r.max.count/4, r.max.bytes - r.max.bytes/4}
	return r.all.count < r.max.count && r.all.bytes+bytes <= r.max.bytes && of.count < most.count && of.bytes+bytes <= most.bytes
}

func (r *room) enter(host string, bytes int) { r.add(host, 1, bytes) }

func (r *room) leave(host string, bytes int) { r.add(host, -1, -bytes) }

func (r *room) add(host string, count, bytes int) {
	r.all.count += count
	r.all.bytes += bytes
	of := r.sources[host]
	of.count += count
	of.bytes += bytes
	if of == (share{}) {
		delete(r.sources, host)
		return
	}
	r.sources[host] = of
}
