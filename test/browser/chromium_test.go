package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"freizeichen/test/tool"
)

// What a Chromium hears with.
var (
	withMicrophone   = []string{"use-fake-device-for-media-stream", "use-fake-ui-for-media-stream"}      // it beeps
	microphoneDenied = []string{"use-fake-device-for-media-stream", "use-fake-ui-for-media-stream=deny"} // its person says no
	noMicrophone     = []string{"disable-audio-input", "use-fake-ui-for-media-stream"}                   // nothing to allow
)

// foreignHost is a name that the browsers resolve to this machine, as a page that rebinds its name in DNS does.
const foreignHost = "rebound.example"

// A browser is a running Chromium.
type browser struct {
	t   *testing.T
	ctx context.Context
}

// startBrowser starts a Chromium with further flags. Whether a page may sound is left to it, as a real person has it.
func startBrowser(t *testing.T, flags []string) *browser {
	t.Helper()
	path := tool.Chromium(t)
	dir, err := os.MkdirTemp("", "chromium-")
	if err != nil {
		t.Fatal(err)
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.UserDataDir(dir), chromedp.Flag("headless", "new"),
		chromedp.NoSandbox, // tests may run as root
		chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("mute-audio", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-extensions", true), chromedp.Flag("disable-breakpad", true),
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("host-resolver-rules", "MAP "+foreignHost+" 127.0.0.1"),
		// Two windows at once are two people, both at their desks.
		chromedp.Flag("disable-background-timer-throttling", true), chromedp.Flag("disable-renderer-backgrounding", true),
		chromedp.Flag("disable-backgrounding-occluded-windows", true),
		chromedp.WSURLReadTimeout(patience),
	}
	for _, flag := range flags {
		name, value, valued := strings.Cut(flag, "=")
		if valued {
			options = append(options, chromedp.Flag(name, value))
		} else {
			options = append(options, chromedp.Flag(name, true))
		}
	}
	allocator, end := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(end) // returns when the process is gone
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("starting Chromium: %v", err)
	}
	return &browser{t: t, ctx: ctx}
}

// A tab is a page in a window of its own.
type tab struct {
	t     *testing.T
	ctx   context.Context
	close context.CancelFunc

	refused bool // it is a page that is refused, or has lost its phone: it may complain

	mu     sync.Mutex
	faults []string
}

// counting counts the frames of sound that a page gets and sends, and keeps the last second of what it gets. A frame is
// a 1 and 160 samples: cmd/phonesim/internal/page/message.go.
const counting = `(() => {
	const counted = { received: 0, sent: 0, second: [] };
	Object.defineProperty(window, "counted", { value: counted });
	const isFrame = (data) => data instanceof ArrayBuffer && data.byteLength === 321 && new Uint8Array(data)[0] === 1;
	window.WebSocket = class extends WebSocket {
		constructor(...given) {
			super(...given);
			this.addEventListener("message", ({ data }) => {
				if (!isFrame(data)) return;
				counted.received++;
				counted.second = [...counted.second.slice(-49), data];
			});
		}
		send(data) {
			if (isFrame(data)) counted.sent++;
			super.send(data);
		}
	};
})();`

// open shows a page in a window of 1280 x 900. A page that complains on its console, or fails to get something, fails
// the test, unless the test takes its faults before.
func (b *browser) open(url string) *tab {
	b.t.Helper()
	tab := &tab{t: b.t}
	// A context of its own: no storage is shared.
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(tab.listen))
	tab.ctx, tab.close = ctx, sync.OnceFunc(cancel)
	b.t.Cleanup(func() {
		if faults := tab.takeFaults(); len(faults) > 0 && !tab.refused {
			b.t.Errorf("the page complains:\n%s", strings.Join(faults, "\n"))
		}
		if b.t.Failed() {
			b.t.Logf("the page:\n%s", tab.describe())
		}
		tab.close()
	})
	if err := chromedp.Do(ctx); err != nil {
		b.t.Fatalf("opening a tab: %v", err)
	}
	tab.do(chromedp.EmulateViewport(1280, 900))
	call(tab, page.AddScriptToEvaluateOnNewDocument.Method, func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: counting + panelWords + themeWords})
		return err
	})
	tab.do(chromedp.Navigate(url))
	return tab
}

// openPhone shows a phone's page and waits until it is alive.
func (b *browser) openPhone(p *phone) *tab {
	b.t.Helper()
	tab := b.open(p.url)
	tab.until(`document.documentElement.dataset.link === "open" && document.querySelector("#screen-text li")`)
	return tab
}

// listen notes what should not happen. It runs on the goroutine that reads from the browser.
func (tab *tab) listen(event any) {
	fault := ""
	switch event := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if event.Type == runtime.ConsoleAPICalledTypeError || event.Type == runtime.ConsoleAPICalledTypeWarning || event.Type == runtime.ConsoleAPICalledTypeAssert {
			var words []string
			for _, argument := range event.Args {
				words = append(words, string(argument.Value)+argument.Description)
			}
			fault = fmt.Sprintf("console.%s: %s", event.Type, strings.Join(words, " "))
		}
	case *runtime.EventExceptionThrown:
		fault = "exception: " + event.ExceptionDetails.Text
		if event.ExceptionDetails.Exception != nil {
			fault += " " + event.ExceptionDetails.Exception.Description
		}
	case *cdplog.EventEntryAdded:
		if event.Entry.Level == cdplog.EntryLevelError || event.Entry.Level == cdplog.EntryLevelWarning {
			fault = fmt.Sprintf("%s of %s: %s %s", event.Entry.Level, event.Entry.Source, event.Entry.Text, event.Entry.URL)
		}
	case *network.EventLoadingFailed:
		if !event.Canceled {
			fault = fmt.Sprintf("a %s failed: %s", event.Type, event.ErrorText)
		}
	case *network.EventResponseReceived:
		if event.Response.Status >= 400 {
			fault = fmt.Sprintf("status %d for %s", event.Response.Status, event.Response.URL)
		}
	}
	if fault != "" {
		tab.mu.Lock()
		tab.faults = append(tab.faults, fault)
		tab.mu.Unlock()
	}
}

// takeFaults returns what the page has complained about so far and must not, and forgets it.
func (tab *tab) takeFaults() []string {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	faults := tab.faults
	tab.faults = nil
	return faults
}

// call does something in the tab that must succeed in time.
func call(tab *tab, what string, do func(context.Context) error) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	if err := do(ctx); err != nil {
		tab.t.Fatalf("%s: %v", what, err)
	}
}

func (tab *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	tab.t.Helper()
	call(tab, "driving the page", func(ctx context.Context) error { return chromedp.Do(ctx, actions...) })
}

// click clicks with the mouse.
func (tab *tab) click(selector string) {
	tab.t.Helper()
	tab.do(chromedp.Click(chromedp.CSS(selector)))
}

// press types on the keyboard, one key after the other.
func (tab *tab) press(keys string) {
	tab.t.Helper()
	tab.do(chromedp.KeyEvent(keys))
}

// choose picks an entry of a select, as a person does with the keyboard.
func (tab *tab) choose(id, option string) {
	tab.t.Helper()
	tab.run(fmt.Sprintf(`(() => {
		const list = document.getElementById(%q);
		list.focus();
		list.value = %q;
		list.dispatchEvent(new Event("change", { bubbles: true }));
	})()`, id, option))
}

// run runs a script.
func (tab *tab) run(script string) {
	tab.t.Helper()
	tab.do(chromedp.Evaluate[chromedp.Void](script, chromedp.EvalAwaitPromise))
}

// get is the value of an expression, which must not be null.
func get[T any](tab *tab, expression string) T {
	tab.t.Helper()
	var value T
	call(tab, expression, func(ctx context.Context) (err error) {
		value, err = chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
		return err
	})
	return value
}

// until waits until an expression is true. While the page loads there may be nothing to ask.
func (tab *tab) until(expression string) {
	tab.t.Helper()
	var last error
	for begin := time.Now(); time.Since(begin) < patience; time.Sleep(look) {
		ctx, cancel := context.WithTimeout(tab.ctx, patience)
		is, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("Boolean("+expression+")", chromedp.EvalAwaitPromise))
		cancel()
		if is {
			return
		}
		last = err
	}
	tab.t.Fatalf("in %s not: %s (%v)", patience, expression, last)
}

// shows waits until the panel's text has all these words.
func (tab *tab) shows(words ...string) {
	tab.t.Helper()
	tab.until(everyIn(`document.getElementById("screen-text").textContent`, words))
}

// tells waits until a live region has said all these words.
func (tab *tab) tells(id string, words ...string) {
	tab.t.Helper()
	tab.until(everyIn(fmt.Sprintf(`document.getElementById(%q).textContent`, id), words))
}

// lamp waits until a lamp shines so, by the name of hal.Blink.
func (tab *tab) lamp(name, blink string) {
	tab.t.Helper()
	tab.until(fmt.Sprintf(`document.querySelector('[data-lamp=%q]').dataset.blink === %q`, name, blink))
}

func everyIn(expression string, words []string) string {
	list, _ := json.Marshal(words) // strings always can be
	return fmt.Sprintf(`%s.every((word) => %s.includes(word))`, list, expression)
}

// describe is what the page shows, for the reader of a failure.
func (tab *tab) describe() string {
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`[
		JSON.stringify(document.documentElement.dataset), "frames: " + counted.received + " got, " + counted.sent + " sent",
		...[...document.querySelectorAll("#screen-text li, #said, #called-out, #link, #sound-text, #microphone-text")].map((e) => e.textContent),
		...[...document.querySelectorAll("[data-lamp]")].map((e) => e.dataset.lamp + " " + e.dataset.blink),
	].join("\n")`))
	if err != nil {
		return err.Error()
	}
	return text
}
