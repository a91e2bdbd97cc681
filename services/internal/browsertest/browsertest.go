// Package browsertest drives pages in a real Chromium, for tests: it says what the browser complains of and what keeps people
// from using a page, and takes pictures.
package browsertest

import (
	"context"
	"embed"
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

// screenshots is set on the command line: go test ... -args -screenshots <folder>.
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

// Start starts a Chromium that ends with the test, with more options where there are some.
func Start(t testing.TB, more ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	path, err := browserPath()
	if err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1280, 900), chromedp.WSURLReadTimeout(time.Minute))
	options = append(options, more...)
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

// patience is how long a page may take for anything.
const patience = 20 * time.Second

// Tab is one page of the browser, with what it complained about.
type Tab struct {
	t    testing.TB
	ctx  context.Context
	base string // of all addresses

	mu      sync.Mutex
	console []string
}

// Open opens a tab that shares nothing with others. Addresses are below base.
func Open(t testing.TB, browser context.Context, base string) *Tab {
	t.Helper()
	ctx, end := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	b := &Tab{t: t, ctx: ctx, base: base}
	messages, noted := chromedp.Console(ctx), make(chan struct{})
	go func() {
		defer close(noted)
		b.note(messages)
	}()
	t.Cleanup(func() { _ = chromedp.Cancel(ctx); end(); <-noted })
	return b
}

// note notes all that the browser complains of: scripts, the policy of content, requests.
func (b *Tab) note(messages iter.Seq2[chromedp.ConsoleMessage, error]) {
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

// Quiet fails where the page has complained about something.
func (b *Tab) Quiet(allowed ...string) {
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

// Run runs actions, one after the other.
func (b *Tab) Run(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// Go goes to an address.
func (b *Tab) Go(path string) {
	b.t.Helper()
	b.Run(chromedp.Navigate(b.base+path), chromedp.WaitReady(chromedp.CSS("main")))
}

// Sees waits until a text is on the page.
func (b *Tab) Sees(text string) {
	b.t.Helper()
	quoted, _ := json.Marshal(text)
	b.Until(fmt.Sprintf("document.body.innerText.includes(%s)", quoted))
}

// Until waits until a condition holds.
func (b *Tab) Until(condition string) {
	b.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		switch text, err := b.text("String(!!(document.body && (" + condition + ")))"); {
		case err == nil && text == "true":
			return
		case err != nil && !leaving(err):
			b.t.Fatalf("%.200s: %v", condition, err)
		}
	}
	b.t.Fatalf("%s does not come to hold; the page is:\n%s", condition, b.Text("document.body.innerText"))
}

// Live waits until the page is connected, if it says whether it is.
func (b *Tab) Live() {
	b.t.Helper()
	b.Until(`(document.getElementById('live-state')?.dataset.live ?? 'on') === 'on'`)
}

// Text is what an expression comes to.
func (b *Tab) Text(expression string) string {
	b.t.Helper()
	text, err := b.text(expression)
	if err != nil {
		b.t.Fatalf("%.200s: %v", expression, err)
	}
	return text
}

func (b *Tab) text(expression string) (string, error) {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[string](expression, chromedp.EvalAwaitPromise))
}

// leaving reports whether a page could not answer because the browser was just going on to another one, perhaps of another origin.
func leaving(err error) bool {
	return strings.Contains(err.Error(), "Inspected target navigated or closed")
}

// Look sets how the page is looked at.
func (b *Tab) Look(dark bool, width, height int64) {
	b.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	b.Run(chromedp.EmulateViewport(width, height), chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
		}})
		return err
	}))
}

// Picture writes what the page looks like, where the flag asks for that.
func (b *Tab) Picture(name string) {
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

//go:embed axe/package.json axe/package-lock.json
var packages embed.FS

// axe is the source of axe-core, installed by npm into a folder of its own once a process.
var axe = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "rollcall-axe-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	for _, name := range []string{"package.json", "package-lock.json"} {
		body, err := packages.ReadFile("axe/" + name)
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

// Accessible fails for whatever axe-core finds to keep people from using the page.
func (b *Tab) Accessible(name string) {
	b.t.Helper()
	source, err := axe()
	if err != nil {
		b.t.Fatal(err)
	}
	found := b.Text(`(window.axe ? 0 : (() => {` + source + `})());axe.run(document, {resultTypes: ['violations']}).then((r) => r.violations.map((v) => v.id + ': ' + v.help + '\n' +
		v.nodes.map((n) => '  ' + n.html.slice(0, 200) + '\n  ' + n.failureSummary).join('\n')).join('\n'))`)
	if found != "" {
		b.t.Errorf("%s: axe-core finds\n%s", name, found)
	}
}

// Still fails where something has moved on the page since it was opened: what a reader looks at stays where it is. A hundredth
// is what nobody sees: of a cumulative layout shift (web.dev/cls) a tenth still counts as good. A script that comes late may
// write a time in another way than the server did.
func (b *Tab) Still(name string) {
	b.t.Helper()
	moved := b.Text(`new Promise((tell) => {
		let moved = '', sum = 0;
		new PerformanceObserver((list) => { for (const e of list.getEntries()) {
			sum += e.value;
			moved += e.value + ' ' + e.sources.map((s) => s.node?.outerHTML?.slice(0, 120)).join(' | ') + '\n';
		} }).observe({ type: 'layout-shift', buffered: true });
		requestAnimationFrame(() => requestAnimationFrame(() => tell(sum > 0.01 ? moved : '')));
	})`)
	if moved != "" {
		b.t.Errorf("%s moves:\n%s", name, moved)
	}
}

// Press clicks what a selector finds, by what is to be read on it or, without words, by its name for those who cannot see it.
func (b *Tab) Press(selector, name string) {
	b.t.Helper()
	b.Until(named(selector, name) + ` !== undefined`)
	b.Text(named(selector, name) + `.click(), 'clicked'`)
}

// Follow presses a link that leads to another page, and waits until that is there: the one that is left may look like it.
func (b *Tab) Follow(selector, name string) {
	b.t.Helper()
	b.Until(named(selector, name) + ` !== undefined`)
	b.Text(`window.left = true, ` + named(selector, name) + `.click(), 'clicked'`)
	b.Until(`window.left === undefined && document.readyState === 'complete'`)
}

// Type writes into the field with that label.
func (b *Tab) Type(label, text string) {
	b.t.Helper()
	b.Until(named("label", label) + ` !== undefined`)
	b.Run(chromedp.SendKeys(chromedp.CSS("#"+b.Text(named("label", label)+`.htmlFor`)), text))
}

func named(selector, name string) string {
	css, _ := json.Marshal(selector)
	words, _ := json.Marshal(name)
	return fmt.Sprintf(`[...document.querySelectorAll(%s)].find((e) => (e.getAttribute('aria-label') ?? e.innerText).trim() === %s)`, css, words)
}
