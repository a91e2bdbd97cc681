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
	"github.com/rollcall-hq/rollcall/services/internal/browsertest"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// Every page in every state: it says what it should, axe-core finds nothing, the browser has nothing to complain of, nothing
// is wider than the screen, and nothing moves once it is there.
func TestChromiumShowsEveryPageAndState(t *testing.T) {
	t.Parallel()
	browser := browsertest.Start(t)
	worlds := map[string]*world{}
	for _, s := range states() {
		built := fmt.Sprintf("%p", s.world)
		if worlds[built] == nil {
			worlds[built] = s.world(t)
		}
		t.Run(s.name, func(t *testing.T) {
			worlds[built].as(s.who)
			b := browsertest.Open(t, browser, worlds[built].url)
			b.Look(false, 1280, 900)
			b.Go(s.path)
			for _, look := range []struct {
				name          string
				dark          bool
				width, height int64
			}{{"", false, 1280, 900}, {"-dark", true, 1280, 900}, {"-narrow", false, 390, 844}} {
				b.Look(look.dark, look.width, look.height)
				b.Sees(s.sees)
				if s.wait != "" {
					b.Until(s.wait)
				}
				if look.name == "" {
					b.Still(s.name)
				}
				b.Accessible(s.name + look.name)
				if wide := b.Text(`String(document.documentElement.scrollWidth - innerWidth)`); wide != "0" && wide[0] != '-' {
					t.Errorf("%s%s is %s pixels wider than the screen", s.name, look.name, wide)
				}
				b.Picture(s.name + look.name)
			}
			if s.error {
				b.Quiet("404", "422")
			} else {
				b.Quiet()
			}
		})
	}
}

// A change in the ledger is on an open page without a reload. How soon, it logs: a second is what is wanted.
func TestChromiumShowsChangesAsTheyCome(t *testing.T) {
	t.Parallel()
	browser := browsertest.Start(t)
	w := lively(t)
	overview, user := browsertest.Open(t, browser, w.url), browsertest.Open(t, browser, w.url)
	activity := browsertest.Open(t, browser, w.url)
	activity.Go("/tenants/contoso/activity")
	overview.Go("/tenants/contoso")
	user.Go("/tenants/contoso/users/u50")
	for _, b := range []*browsertest.Tab{overview, user, activity} {
		b.Live()
		b.Text(`window.sameAsBefore = "yes"`)
	}
	user.Sees("not a member of the provisioning group")
	licensed, soonest := w.products["contoso secure-share"].Used, patience
	for range 3 {
		began := time.Now()
		w.decide("contoso", "secure-share", decided{user: "u50", licensed: true, reason: licensing.GroupMember, path: []string{"sharers", "sales"}})
		user.Sees("is licensed for secure-share: a member of the provisioning group (Secure Share users > Sales Europe)")
		overview.Sees(fmt.Sprintf("%d licensed of 30 seats", licensed+1))
		activity.Until(`document.querySelector('tbody tr')?.innerText.includes('Carla Andersson')`)
		soonest = min(soonest, time.Since(began))
		w.decide("contoso", "secure-share", decided{user: "u50", reason: licensing.NotAMember})
		user.Sees("is not licensed for secure-share: not a member")
		overview.Sees(fmt.Sprintf("%d licensed of 30 seats", licensed))
	}
	t.Logf("the soonest was there after %s", soonest)
	for _, b := range []*browsertest.Tab{overview, user, activity} {
		if b.Text(`String(window.sameAsBefore)`) != "yes" {
			t.Error("the page was loaded anew")
		}
		b.Quiet()
	}
}

// Whoever has no mouse gets everywhere, in the order of the page, and sees where they are.
func TestChromiumIsUsedByKeyboardAlone(t *testing.T) {
	t.Parallel()
	browser := browsertest.Start(t)
	w := parked(t)
	w.as(admin)
	seen := w.obeyed("contoso", done)
	b := browsertest.Open(t, browser, w.url)
	for _, path := range keyboardPages {
		b.Go("/tenants/contoso" + path)
		b.Live()
		reached := b.Text(`window.everything = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]')]
			.filter((e) => e.checkVisibility() && !(e.type === 'radio' && !e.checked)); window.reached = []; String(everything.length)`)
		for range everythingAtMost {
			b.Run(chromedp.KeyEvent(kb.Tab))
			if b.Text(`(() => { const e = document.activeElement;
				if (e === reached.at(-1)) return 'on'; // one of the parts of a date
				if (e === document.body || reached.includes(e)) return 'over';
				reached.push(e);
				const s = getComputedStyle(e);
				return s.outlineStyle === 'none' || s.outlineWidth === '0px' ? 'no focus on ' + e.outerHTML.slice(0, 120) : 'on'; })()`) != "on" {
				break
			}
		}
		if missed := b.Text(`everything.filter((e) => !reached.includes(e)).map((e) => e.outerHTML.slice(0, 160)).join('\n')`); missed != "" {
			t.Errorf("%s: of %s, the keyboard does not reach\n%s", path, reached, missed)
		}
	}
	b.Go("/tenants/contoso/held/flip-7")
	b.Until(`[...document.querySelectorAll('button')].some((e) => { if (e.innerText.includes('Approve')) { e.focus(); return true; } })`)
	b.Run(chromedp.KeyEvent(kb.Enter))
	b.Sees("It holds from now on")
	if told := <-seen; !strings.Contains(told, `"held":"flip-7","revision":2,"by":"ada"`) {
		t.Errorf("told %s", told)
	}
	b.Quiet()
}

const everythingAtMost = 200

var keyboardPages = []string{"", "/users", "/groups", "/groups/sharers", "/activity", "/users/u05", "/held/flip-7", "/connections", "/settings"}

// A refresh is started on its page, and its result comes without a reload.
func TestChromiumFollowsARefresh(t *testing.T) {
	t.Parallel()
	browser := browsertest.Start(t)
	w := lively(t)
	w.as(admin)
	b := browsertest.Open(t, browser, w.url)
	b.Go("/tenants/contoso/connections")
	b.Run(chromedp.Click(chromedp.CSS("#start-refresh")))
	b.Sees("The directory is being read")
	b.Text(`window.sameAsBefore = "yes"`)
	key := b.Text(`location.pathname.split('/').pop()`)
	w.answerRefresh("contoso", "contoso.refresh."+key, event.RefreshCompleted{
		Snapshot: "contoso.refresh." + key, Users: 60, Groups: 2,
		Holds: []event.RefreshHold{{Product: "drive", Held: "refresh-1", Revision: 1, Grants: 2, Revocations: 1}},
	})
	b.Sees("2 licenses would be granted, 1 revoked")
	b.Sees("60 users, 2 groups")
	if b.Text(`String(window.sameAsBefore)`) != "yes" {
		t.Error("the page was loaded anew")
	}
	b.Accessible("the result of a refresh")
	b.Picture("refresh-result")
	b.Quiet()
}

// A page that was cut off says so, comes back by itself, and has what it missed.
func TestChromiumComesBack(t *testing.T) {
	t.Parallel()
	browser := browsertest.Start(t)
	w := lively(t)
	b := browsertest.Open(t, browser, w.url)
	b.Go("/tenants/contoso/users/u50")
	b.Live()
	w.cut(func() {
		b.Sees("Reconnecting")
		w.decide("contoso", "secure-share", decided{user: "u50", licensed: true, reason: licensing.GroupMember, path: []string{"sharers"}})
	})
	b.Live()
	b.Sees("a member of the provisioning group (Secure Share users)")
}

// Whoever looks at a held change sees that its list has become another one, and that somebody else has decided.
func TestChromiumShowsWhatBecomesOfAHeldChange(t *testing.T) {
	t.Parallel()
	browser := browsertest.Start(t)
	w := parked(t)
	w.as(admin)
	b := browsertest.Open(t, browser, w.url)
	b.Go("/tenants/contoso/held/flip-7")
	b.Live()
	h := ledger.Held{ID: 1, Ref: "flip-7", Kind: ledger.HeldFlip, State: ledger.HeldOpen, Revision: 3, Grants: 1, Revocations: 11}
	w.save("contoso", "drive", h)
	b.Sees("The list has changed since this page was shown")
	b.Accessible("a list that has changed")
	b.Picture("held-changed")
	h.State, h.ClosedAt, h.ClosedBy = ledger.HeldRejected, time.Now(), "grace"
	w.save("contoso", "drive", h)
	b.Sees("Rejected")
	b.Sees("grace")
	b.Quiet()
}

// What goes wrong is a page too: a role that was taken away meanwhile, and a fault of ours, which shows an id and nothing else.
func TestChromiumShowsWhatGoesWrong(t *testing.T) {
	t.Parallel()
	browser := browsertest.Start(t)
	w := contoso(t)
	w.as(admin)
	b := browsertest.Open(t, browser, w.url)
	b.Go("/tenants/contoso/settings")
	w.as(auditor)
	b.Press("button", "Freeze the tenant")
	b.Sees("Your role may not do that")
	b.Accessible("the page of what a role may not do")
	b.Picture("forbidden")
	if err := w.ledger.Close(); err != nil {
		t.Fatal(err)
	}
	b.Go("/tenants/contoso")
	b.Sees("Request id:")
	b.Accessible("the page of a fault")
	b.Picture("fault")
	b.Quiet("403", "500")
}
