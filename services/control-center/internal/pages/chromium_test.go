package pages_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
)

// Every page in every state: it says what it should, axe-core finds nothing, the browser has nothing to complain of, nothing
// is wider than the screen, and nothing moves once it is there.
func TestChromiumShowsEveryPageAndState(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	worlds := map[string]*world{}
	for _, s := range states() {
		built := fmt.Sprintf("%p", s.world)
		if worlds[built] == nil {
			worlds[built] = s.world(t)
		}
		t.Run(s.name, func(t *testing.T) {
			worlds[built].as(s.who)
			b := newTab(t, browser, worlds[built])
			b.look(false, 1280, 900)
			b.open(s.path)
			for _, look := range []struct {
				name          string
				dark          bool
				width, height int64
			}{{"", false, 1280, 900}, {"-dark", true, 1280, 900}, {"-narrow", false, 390, 844}} {
				b.look(look.dark, look.width, look.height)
				b.sees(s.sees)
				if s.wait != "" {
					b.until(s.wait)
				}
				b.accessible(s.name + look.name)
				if wide := b.text(`String(document.documentElement.scrollWidth - innerWidth)`); wide != "0" && wide[0] != '-' {
					t.Errorf("%s%s is %s pixels wider than the screen", s.name, look.name, wide)
				}
				b.picture(s.name + look.name)
			}
			if s.error {
				b.quiet("404", "422")
			} else {
				b.quiet()
			}
		})
	}
}

// A change in the ledger is on an open page within a second, without a reload.
func TestChromiumShowsChangesAsTheyCome(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	w := lively(t)
	overview, user := newTab(t, browser, w), newTab(t, browser, w)
	overview.open("/tenants/contoso")
	user.open("/tenants/contoso/users/u50")
	for _, b := range []*tab{overview, user} {
		b.live()
		b.text(`window.sameAsBefore = "yes"`)
	}
	user.sees("not a member of the provisioning group")
	licensed := w.products["contoso secure-share"].Used
	began := time.Now()
	w.decide("contoso", "secure-share", decided{user: "u50", licensed: true, reason: licensing.GroupMember, path: []string{"sharers", "sales"}})
	user.sees("a member of the provisioning group (Secure Share users > Sales Europe)")
	overview.sees(fmt.Sprintf("%d licensed of 30 seats", licensed+1))
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %s", took)
	}
	t.Logf("after %s", time.Since(began))
	for _, b := range []*tab{overview, user} {
		if b.text(`String(window.sameAsBefore)`) != "yes" {
			t.Error("the page was loaded anew")
		}
		b.quiet()
	}
}

// Whoever has no mouse gets everywhere, in the order of the page, and sees where they are.
func TestChromiumIsUsedByKeyboardAlone(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	w := parked(t)
	w.as(admin)
	seen := w.obeyed("contoso", done)
	b := newTab(t, browser, w)
	for _, path := range keyboardPages {
		b.open("/tenants/contoso" + path)
		b.live()
		reached := b.text(`window.everything = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]')]
			.filter((e) => e.checkVisibility() && !(e.type === 'radio' && !e.checked)); window.reached = []; String(everything.length)`)
		for range everythingAtMost {
			b.run(chromedp.KeyEvent(kb.Tab))
			if b.text(`(() => { const e = document.activeElement;
				if (e === document.body || reached.includes(e)) return 'over';
				reached.push(e);
				const s = getComputedStyle(e);
				return s.outlineStyle === 'none' || s.outlineWidth === '0px' ? 'no focus on ' + e.outerHTML.slice(0, 120) : 'on'; })()`) != "on" {
				break
			}
		}
		if missed := b.text(`everything.filter((e) => !reached.includes(e)).map((e) => e.outerHTML.slice(0, 160)).join('\n')`); missed != "" {
			t.Errorf("%s: of %s, the keyboard does not reach\n%s", path, reached, missed)
		}
	}
	b.open("/tenants/contoso/held/flip-7")
	b.until(`[...document.querySelectorAll('button')].some((e) => { if (e.innerText.includes('Approve')) { e.focus(); return true; } })`)
	b.run(chromedp.KeyEvent(kb.Enter))
	b.sees("It holds from now on")
	if told := <-seen; !strings.Contains(told, `"held":"flip-7","revision":2,"by":"ada"`) {
		t.Errorf("told %s", told)
	}
	b.quiet()
}

const everythingAtMost = 200

var keyboardPages = []string{"", "/users", "/users/u05", "/held/flip-7", "/connections", "/settings"}

// A refresh is started on its page, and its result comes without a reload.
func TestChromiumFollowsARefresh(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	w := lively(t)
	w.as(admin)
	b := newTab(t, browser, w)
	b.open("/tenants/contoso/connections")
	b.run(chromedp.Click(chromedp.CSS("#start-refresh")))
	b.sees("The directory is being read")
	b.text(`window.sameAsBefore = "yes"`)
	key := b.text(`location.pathname.split('/').pop()`)
	w.answerRefresh("contoso", "contoso.refresh."+key, event.RefreshCompleted{
		Snapshot: "contoso.refresh." + key, Users: 60, Groups: 2,
		Holds: []event.RefreshHold{{Product: "drive", Held: "refresh-1", Revision: 1, Grants: 2, Revocations: 1}},
	})
	b.sees("2 licenses would be granted, 1 revoked")
	b.sees("60 users, 2 groups")
	if b.text(`String(window.sameAsBefore)`) != "yes" {
		t.Error("the page was loaded anew")
	}
	b.accessible("the result of a refresh")
	b.picture("refresh-result")
	b.quiet()
}

// A page that was cut off says so, comes back by itself, and has what it missed.
func TestChromiumComesBack(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	w := lively(t)
	b := newTab(t, browser, w)
	b.open("/tenants/contoso/users/u50")
	b.live()
	w.cut(func() {
		b.sees("Reconnecting")
		w.decide("contoso", "secure-share", decided{user: "u50", licensed: true, reason: licensing.GroupMember, path: []string{"sharers"}})
	})
	b.live()
	b.sees("a member of the provisioning group (Secure Share users)")
}
