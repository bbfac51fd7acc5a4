package page_test

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/cmd/centre/pagetest"
)

// A stream is what a browser gets of a stream of events.
type stream struct {
	mu     sync.Mutex
	header http.Header
	status int
	body   strings.Builder
	ended  bool
	leave  context.CancelFunc
}

func (s *stream) Header() http.Header { return s.header }
func (s *stream) WriteHeader(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = status
}
func (s *stream) Write(data []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.body.Write(data)
}
func (s *stream) Flush() {}

// pictures are those that have come.
func (s *stream) pictures() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Split(s.body.String(), "event: picture\n")[1:]
}

func (s *stream) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// listen opens a stream.
func (v *visitor) listen(target string) *stream {
	ctx, leave := context.WithCancel(context.Background())
	s := &stream{header: http.Header{}, status: http.StatusOK, leave: leave}
	r := v.request("GET", target, nil).WithContext(ctx)
	go func() {
		v.page.ServeHTTP(s, r)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.ended = true
	}()
	return s
}

func TestAStreamSendsAPictureAtOnceAndAfterEachChange(t *testing.T) {
	scene(t, func(t *testing.T, centre *pagetest.Centre, v *visitor) {
		s := v.listen("/events")
		time.Sleep(time.Second / 2)
		if got := s.pictures(); len(got) != 1 || !strings.Contains(got[0], `data: <div id="picture" data-clock="10:42">`) {
			t.Fatalf("first: %q", got)
		}
		if s.header.Get("Content-Type") != "text/event-stream; charset=utf-8" {
			t.Errorf("the type is %q", s.header.Get("Content-Type"))
		}
		for _, line := range strings.Split(strings.TrimSpace(s.body.String()), "\n") {
			if line != "" && !strings.HasPrefix(line, "data: ") && !strings.HasPrefix(line, "event: ") && !strings.HasPrefix(line, "retry: ") {
				t.Fatalf("a line is no field: %q", line)
			}
		}
		refuses(t, s.body.String(), pagetest.Callback, "token")
		time.Sleep(3 * time.Second)
		if got := s.pictures(); len(got) != 1 {
			t.Errorf("%d pictures without a change", len(got))
		}
		centre.SetPBX(false, time.Now())
		time.Sleep(time.Second / 10)
		if got := s.pictures(); len(got) != 2 || !strings.Contains(got[1], "Telefonanlage nicht erreichbar seit 10:42.") {
			t.Errorf("after a change: %d pictures", len(got))
		}
		// A thousand changes within a second are one picture, that of the last.
		for i := range 1000 {
			centre.SetPBX(i%2 == 0, time.Now())
			time.Sleep(time.Millisecond)
		}
		time.Sleep(1200 * time.Millisecond)
		if got := s.pictures(); len(got) < 3 || len(got) > 4 || !strings.Contains(got[len(got)-1], "nicht erreichbar") {
			t.Errorf("after many changes: %d pictures", len(got))
		}
		before := len(s.pictures())
		time.Sleep(31 * time.Second)
		if got := len(s.pictures()) - before; got != 3 {
			t.Errorf("in 31 s of calm: %d pictures", got)
		}
		s.leave()
		synctest.Wait()
		if !s.over() || centre.Watchers() != 0 {
			t.Errorf("after leaving: over %v, %d watch", s.over(), centre.Watchers())
		}
	})
}

func TestAStreamEndsWithWhatOpenedIt(t *testing.T) {
	scene(t, func(t *testing.T, centre *pagetest.Centre, v *visitor) {
		screen := newVisitor(t, v.page)
		screen.do("GET", v.link("x"), nil)
		hash := regexp.MustCompile(`name="link" value="([0-9a-f]{64})"`).FindStringSubmatch(v.get("/links"))[1]
		live, board, own := v.listen("/events"), screen.listen("/wallboard/events"), v.listen("/wallboard/events")
		time.Sleep(time.Minute)
		if live.over() || board.over() || own.over() {
			t.Fatal("a stream ends by itself")
		}
		refuses(t, board.body.String(), pagetest.Callback, "Elterngeldstelle", pagetest.Name)
		v.post("/links/revoke", url.Values{"link": {hash}})
		time.Sleep(11 * time.Second)
		if !board.over() || live.over() {
			t.Errorf("after revoking: board over %v, live over %v", board.over(), live.over())
		}
		v.post("/logout", url.Values{})
		time.Sleep(11 * time.Second)
		if !live.over() || !own.over() {
			t.Errorf("after logging out: live over %v, own board over %v", live.over(), own.over())
		}
	})
}

func TestListenersAreBounded(t *testing.T) {
	scene(t, func(t *testing.T, centre *pagetest.Centre, v *visitor) {
		var all []*stream
		var people []*visitor
		for range 5 {
			people = append(people, enter(t, v.page))
		}
		for _, one := range people {
			for range 17 {
				all = append(all, one.listen("/events"))
			}
		}
		time.Sleep(time.Second)
		open, refused := 0, 0
		for _, s := range all {
			if s.over() && s.status == http.StatusServiceUnavailable && s.header.Get("Retry-After") != "" {
				refused++
			} else if !s.over() {
				open++
			}
		}
		if open != 64 || refused != len(all)-64 || centre.Watchers() != 64 {
			t.Errorf("%d are open, %d refused, %d watch", open, refused, centre.Watchers())
		}
		for _, s := range all {
			s.leave()
		}
		synctest.Wait()
		again := v.listen("/events")
		time.Sleep(time.Second)
		if again.over() {
			t.Error("there is no room after all have left")
		}
		again.leave()
		synctest.Wait()
	})
}

func TestOneLinkCannotKeepTheOthersOut(t *testing.T) {
	scene(t, func(t *testing.T, centre *pagetest.Centre, v *visitor) {
		var all []*stream
		for range 17 {
			all = append(all, v.listen("/events"))
		}
		time.Sleep(time.Second)
		if got := centre.Watchers(); got != 16 {
			t.Errorf("%d of one session listen", got)
		}
		for _, s := range all {
			s.leave()
		}
		synctest.Wait()
	})
}

// However many look and however much changes, the store counts the day once in a while.
func TestTheStoreIsNotAskedForEachPicture(t *testing.T) {
	scene(t, func(t *testing.T, centre *pagetest.Centre, v *visitor) {
		streams := []*stream{v.listen("/events"), v.listen("/events"), v.listen("/wallboard/events")}
		before := centre.Counted()
		for range 200 {
			centre.SetPBX(true, time.Now())
			time.Sleep(100 * time.Millisecond)
		}
		if got := centre.Counted() - before; got < 5 || got > 11 {
			t.Errorf("in 20 s the store has counted %d times", got)
		}
		for _, s := range streams {
			s.leave()
		}
		synctest.Wait()
	})
}

func TestClosingThePageEndsItsStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		centre := pagetest.Example(time.Now())
		p := newPage(t, centre)
		s := enter(t, p).listen("/events")
		time.Sleep(time.Second)
		p.Close()
		synctest.Wait()
		if !s.over() || centre.Watchers() != 0 {
			t.Error("the stream goes on")
		}
		s.leave()
	})
}

// A wire joins clients to a server without a network.
type wire chan net.Conn

func (w wire) Accept() (net.Conn, error) {
	if conn, ok := <-w; ok {
		return conn, nil
	}
	return nil, net.ErrClosed
}
func (w wire) Close() error   { close(w); return nil }
func (w wire) Addr() net.Addr { return &net.TCPAddr{} }
func (w wire) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	w <- far
	return near, nil
}

// A server bounds how long requests and answers may take: a stream lives on.
func TestAStreamOutlivesTheTimesOfItsServer(t *testing.T) {
	for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(version, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPage(t, pagetest.Example(time.Now()))
				v := enter(t, p)
				var protocols http.Protocols
				protocols.SetHTTP1(version == "HTTP/1.1")
				protocols.SetUnencryptedHTTP2(version == "HTTP/2.0")
				server := &http.Server{Handler: p, Protocols: &protocols, ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second}
				network := make(wire)
				served := make(chan error)
				go func() { served <- server.Serve(network) }()
				transport := &http.Transport{DialContext: network.dial, Protocols: &protocols}
				request := v.request("GET", "/events", nil)
				request.RequestURI, request.URL.Scheme, request.URL.Host = "", "http", host
				response, err := transport.RoundTrip(request)
				if err != nil {
					t.Fatal(err)
				}
				if response.Proto != version || response.StatusCode != http.StatusOK {
					t.Fatalf("%s %d", response.Proto, response.StatusCode)
				}
				lines := bufio.NewScanner(response.Body)
				pictures := 0
				for began := time.Now(); time.Since(began) < time.Hour && lines.Scan(); {
					if lines.Text() == "event: picture" {
						pictures++
					}
				}
				if pictures < 350 {
					t.Errorf("the stream ends after %d pictures: %v", pictures, lines.Err())
				}
				response.Body.Close()
				transport.CloseIdleConnections()
				p.Close()
				server.Close()
				<-served
			})
		})
	}
}
