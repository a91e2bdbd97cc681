package pages_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/licensing"
)

// Every page in every state: it says what it should, axe-core finds nothing, the browser has nothing to complain of, nothing
// is wider than the screen, and nothing moves once it is there.
func TestChromiumShowsEveryPageAndState(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	for _, s := range states() {
		t.Run(s.name, func(t *testing.T) {
			w := s.world(t)
			w.as(s.who)
			b := newTab(t, browser, w)
			for _, look := range []struct {
				name          string
				dark          bool
				width, height int64
			}{{"", false, 1280, 900}, {"-dark", true, 1280, 900}, {"-narrow", false, 390, 844}} {
				b.look(look.dark, look.width, look.height)
				b.open(s.path)
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
				b.quiet("404")
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
