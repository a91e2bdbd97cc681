package pages_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/browsertest"
	"github.com/rollcall-hq/rollcall/services/internal/connect"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// askedWith lets through what a page asks anew by itself, with what meanwhile makes of each answer.
func (w *world) askedWith(meanwhile func(answer *httptest.ResponseRecorder)) {
	handler := w.handler
	w.handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("HX-Request") == "" {
			handler.ServeHTTP(rw, r)
			return
		}
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, r)
		meanwhile(answer)
		maps.Copy(rw.Header(), answer.Header())
		rw.WriteHeader(answer.Code)
		_, _ = rw.Write(answer.Body.Bytes())
	})
	w.restart(30 * time.Second)
}

// What changes while a page asks for what has changed before is on the page too, though its answer does not have it.
func TestChromiumShowsWhatChangesWhileItAsks(t *testing.T) {
	t.Parallel()
	browser := browsertest.Start(t)
	w := lively(t)
	asks, goesOn := make(chan struct{}, 100), make(chan struct{})
	w.askedWith(func(*httptest.ResponseRecorder) { asks <- struct{}{}; <-goesOn })
	b := browsertest.Open(t, browser, w.url)
	b.Go("/tenants/contoso/users/u50")
	b.Live()
	b.Text(`window.told = 0; document.addEventListener('htmx:sseMessage', () => told++); 'yes'`)
	w.decide("contoso", "secure-share", decided{user: "u50", licensed: true, reason: licensing.GroupMember, path: []string{"sharers"}})
	select {
	case <-asks:
	case <-time.After(patience):
		t.Fatal("the page does not ask")
	}
	before := b.Text(`String(told)`)
	w.decide("contoso", "secure-share", decided{user: "u50", licensed: true, reason: licensing.GroupMember, path: []string{"sharers", "sales"}})
	b.Until("told > " + before)
	close(goesOn)
	b.Sees("a member of the provisioning group (Secure Share users > Sales Europe)")
	b.Quiet()
}

// What a page is told while it puts an answer in place, it asks for as well.
func TestChromiumMissesNothingWhileItShowsAnAnswer(t *testing.T) {
	t.Parallel()
	browser := browsertest.Start(t)
	w := lively(t)
	asks := make(chan struct{}, 100)
	w.askedWith(func(*httptest.ResponseRecorder) { asks <- struct{}{} })
	b := browsertest.Open(t, browser, w.url)
	b.Go("/tenants/contoso/users/u50")
	b.Live()
	b.Text(`document.addEventListener('htmx:afterSwap', () =>
		document.getElementById('main')['htmx-internal-data'].sseEventSource.dispatchEvent(new MessageEvent('license', { data: '1' })), { once: true }); 'yes'`)
	w.decide("contoso", "secure-share", decided{user: "u50", licensed: true, reason: licensing.GroupMember, path: []string{"sharers"}})
	for n := range 2 {
		select {
		case <-asks:
		case <-time.After(patience):
			t.Fatalf("the page asks %d times, for two messages", n)
		}
	}
	b.Quiet()
}

// Pages of which nothing can be said yet are others once the first sync has ended, without anybody's asking.
func TestChromiumShowsTheEndOfTheFirstSync(t *testing.T) {
	t.Parallel()
	browser := browsertest.Start(t)
	w := firstSync(t)
	var pages []*browsertest.Tab
	for _, path := range []string{"/users", "/groups"} {
		b := browsertest.Open(t, browser, w.url)
		b.Go("/tenants/contoso" + path)
		b.Sees("The first sync is running")
		pages = append(pages, b)
	}
	w.sync("contoso", tenant.SecureShare())
	for i, sees := range []string{"Ann Archer", "No group"} {
		pages[i].Text(`document.body.dispatchEvent(new Event('look')), 'as a page does every five seconds'`)
		pages[i].Sees(sees)
		pages[i].Quiet()
	}
}

// A page that is refused an answer, as there is too much to do, asks again by itself; one whose session has ended goes where
// everybody signs in.
func TestChromiumAsksAgain(t *testing.T) {
	t.Parallel()
	browser := browsertest.Start(t)
	w := lively(t)
	var asked atomic.Int32
	w.askedWith(func(answer *httptest.ResponseRecorder) {
		if asked.Add(1) < 2 {
			*answer = *httptest.NewRecorder()
			answer.WriteHeader(http.StatusTooManyRequests)
		}
	})
	b := browsertest.Open(t, browser, w.url)
	b.Go("/tenants/contoso/users/u50")
	b.Live()
	w.decide("contoso", "secure-share", decided{user: "u50", licensed: true, reason: licensing.GroupMember, path: []string{"sharers"}})
	b.Sees("a member of the provisioning group (Secure Share users)")
	b.Quiet("429")
	w.askedWith(func(answer *httptest.ResponseRecorder) {
		*answer = *httptest.NewRecorder()
		_, _ = answer.WriteString("<!DOCTYPE html><main>Sign in</main>")
	})
	b = browsertest.Open(t, browser, w.url)
	b.Go("/tenants/contoso/users/u50")
	b.Live()
	b.Text(`window.sameAsBefore = "yes"`)
	w.decide("contoso", "secure-share", decided{user: "u50", reason: licensing.NotAMember})
	b.Until("!window.sameAsBefore")
	b.Sees("is not licensed for secure-share: not a member")
}

// A tenant that takes long to erase is erased with one press: the page follows.
func TestChromiumFollowsAnErasing(t *testing.T) {
	t.Parallel()
	w := erasable(t)
	w.deps.Patience = 100 * time.Millisecond
	w.begin()
	b := browsertest.Open(t, browsertest.Start(t), w.url)
	b.Look(false, 1280, 900)
	b.Go("/tenants/contoso/erase")
	b.Type("Type the tenant’s name to go on", "contoso")
	b.Press("button", "Erase contoso")
	b.Sees("It is being erased")
	b.Accessible("erase: under way")
	b.Picture("erase-under-way")
	w.receives(directory.Entra, connect.Shown{})
	w.obey("contoso", done)
	b.Sees("No tenant yet")
	b.Quiet()
}
