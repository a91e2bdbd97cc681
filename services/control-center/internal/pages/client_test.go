package pages_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

const patience = 20 * time.Second

// answered is what a request brought, unpacked.
type answered struct {
	status int
	header http.Header
	body   string
}

// client follows no redirects: where they lead is an answer.
var client = &http.Client{
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Transport:     &http.Transport{DisableKeepAlives: true},
}

func (w *world) do(method, path string, form url.Values, headers ...string) answered {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, w.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		w.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := client.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answered{res.StatusCode, res.Header, string(body)}
}

func (w *world) get(path string, headers ...string) answered {
	w.t.Helper()
	return w.do(http.MethodGet, path, nil, headers...)
}

// page is get where a page is expected.
func (w *world) page(path string) string {
	w.t.Helper()
	a := w.get(path)
	if a.status != http.StatusOK {
		w.t.Fatalf("%s: %d\n%s", path, a.status, a.body)
	}
	return a.body
}

func (w *world) post(path string, fields ...string) answered {
	w.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return w.do(http.MethodPost, path, form)
}

// has fails where a text lacks one of the parts.
func has(t testing.TB, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("there is no %q in:\n%s", part, plain(text))
		}
	}
}

// lacks fails where a text has one of the parts.
func lacks(t testing.TB, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if strings.Contains(text, part) {
			t.Errorf("there is %q in:\n%s", part, plain(text))
		}
	}
}

var (
	pictures = regexp.MustCompile(`(?s)<svg.*?</svg>`)
	blank    = regexp.MustCompile(`\s*\n\s*`)
)

func plain(html string) string {
	return blank.ReplaceAllString(pictures.ReplaceAllString(html, ""), "\n")
}

// stream is an open page's connection for what happens.
type stream struct {
	t      testing.TB
	events chan string // names, in their order
	status int
}

// open opens one until the test ends.
func (w *world) open(path string) *stream {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	res, err := client.Do(r)
	if err != nil {
		cancel()
		w.t.Fatal(err)
	}
	s := &stream{t: w.t, events: make(chan string, 1000), status: res.StatusCode}
	done := make(chan struct{})
	w.t.Cleanup(func() { cancel(); <-done })
	go func() {
		defer close(done)
		defer close(s.events)
		defer func() { _ = res.Body.Close() }()
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			if name, is := strings.CutPrefix(lines.Text(), "event: "); is {
				s.events <- name
			}
		}
	}()
	return s
}

// next is the next event's name; "" when the stream has ended.
func (s *stream) next() string {
	s.t.Helper()
	select {
	case name := <-s.events:
		return name
	case <-time.After(patience):
		s.t.Fatal("nothing was told")
		return ""
	}
}
