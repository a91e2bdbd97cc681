package pages_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

var screenshots = flag.String("screenshots", "", "write a picture of every page and state into that folder")

// errNoBrowser is what a machine without Chromium is told. The tests are not skipped: nobody would notice.
var errNoBrowser = errors.New("these tests drive the pages in Chromium, which is missing: deploy/tools/ensure chromium installs it (Debian: apt-get install chromium)")

func browserPath() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errNoBrowser
}

// startBrowser starts a Chromium that ends with the test.
func startBrowser(t testing.TB) context.Context {
	t.Helper()
	path, err := browserPath()
	if err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1280, 900), chromedp.WSURLReadTimeout(time.Minute))
	allocator, endAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	browser, endBrowser := chromedp.NewContext(allocator)
	if err := chromedp.Do(browser); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	t.Cleanup(func() {
		_ = chromedp.Cancel(browser)
		endBrowser()
		endAllocator()
	})
	return browser
}

// tab is one page of the browser, with what it complained about.
type tab struct {
	t   testing.TB
	ctx context.Context
	w   *world

	mu      sync.Mutex
	console []string
}

// newTab opens a tab that shares nothing with others.
func newTab(t testing.TB, browser context.Context, w *world) *tab {
	t.Helper()
	ctx, end := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	b := &tab{t: t, ctx: ctx, w: w}
	messages, noted := chromedp.Console(ctx), make(chan struct{})
	go func() {
		defer close(noted)
		b.note(messages)
	}()
	t.Cleanup(func() { _ = chromedp.Cancel(ctx); end(); <-noted })
	return b
}

// note notes all that the browser complains of: scripts, the policy of content, requests.
func (b *tab) note(messages iter.Seq2[chromedp.ConsoleMessage, error]) {
	for m, err := range messages {
		if err != nil {
			return
		}
		if m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleWarning || m.Type == chromedp.ConsoleException {
			b.mu.Lock()
			b.console = append(b.console, m.Text+" "+m.URL)
			b.mu.Unlock()
		}
	}
}

// quiet fails where the page has complained about something.
func (b *tab) quiet(allowed ...string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
next:
	for _, line := range b.console {
		for _, a := range allowed {
			if strings.Contains(line, a) {
				continue next
			}
		}
		b.t.Errorf("the browser complains: %s", line)
	}
	b.console = nil
}

func (b *tab) run(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) open(path string) {
	b.t.Helper()
	b.run(chromedp.Navigate(b.w.url+path), chromedp.WaitReady(chromedp.CSS("main")))
}

// sees waits until a text is on the page.
func (b *tab) sees(text string) {
	b.t.Helper()
	quoted, _ := json.Marshal(text)
	b.until(fmt.Sprintf("document.body.innerText.includes(%s)", quoted))
}

// until waits until a condition holds.
func (b *tab) until(condition string) {
	b.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if b.text("String(!!(document.body && ("+condition+")))") == "true" {
			return
		}
	}
	b.t.Fatalf("%s does not come to hold; the page is:\n%s", condition, b.text("document.body.innerText"))
}

// live waits until the page is connected, if it says whether it is.
func (b *tab) live() {
	b.t.Helper()
	b.until(`(document.getElementById('live-state')?.dataset.live ?? 'on') === 'on'`)
}

// text is what an expression comes to.
func (b *tab) text(expression string) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%.200s: %v", expression, err)
	}
	return text
}

// look sets how the page is looked at.
func (b *tab) look(dark bool, width, height int64) {
	b.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	b.run(chromedp.EmulateViewport(width, height), chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
		}})
		return err
	}))
}

// picture writes what the page looks like, where the flag asks for that.
func (b *tab) picture(name string) {
	b.t.Helper()
	if *screenshots == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.MkdirAll(*screenshots, 0o750)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(*screenshots, name+".png"), png, 0o600)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// axe is the source of axe-core, installed by npm into a folder of its own once a process.
var axe = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "rollcall-axe-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	for _, name := range []string{"package.json", "package-lock.json"} {
		body, err := os.ReadFile(filepath.Join("testdata", "axe", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), body, 0o600)
		}
		if err != nil {
			return "", err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	npm := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm ci could not install axe-core (npm is needed, and a registry within reach; Debian: apt-get install npm): %w\n%s", err, out)
	}
	body, err := os.ReadFile(filepath.Join(dir, "node_modules", "axe-core", "axe.min.js"))
	return string(body), err
})

// accessible fails for whatever axe-core finds to keep people from using the page.
func (b *tab) accessible(name string) {
	b.t.Helper()
	source, err := axe()
	if err != nil {
		b.t.Fatal(err)
	}
	found := b.text(`(window.axe ? 0 : (() => {` + source + `})());axe.run(document, {resultTypes: ['violations']}).then((r) => r.violations.map((v) => v.id + ': ' + v.help + '\n' +
		v.nodes.map((n) => '  ' + n.html.slice(0, 200) + '\n  ' + n.failureSummary).join('\n')).join('\n'))`)
	if found != "" {
		b.t.Errorf("%s: axe-core finds\n%s", name, found)
	}
}
