package apply_test

import (
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/search"
)

func TestActivationsAreKeptAndDecideNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		threeLicensed(h)
		report := func(product, user string, at time.Time) {
			h.ask("contoso", event.VerbActivation, event.TypeActivationReported, event.ActivationReported{Product: product, User: user, At: at, By: share})
		}
		early := began.Add(-time.Hour)
		report(share, "ann", began.Add(-time.Minute))
		report(share, "ann", early)
		report(share, "ann", began.Add(-time.Second))
		h.expect("a license is not touched, and what is news is told", "activated ann", "done", "activated ann", "done", "done")
		future := h.clock.Now().Add(time.Hour)
		report(share, "bob", future)
		h.expect("a fast clock", "activated bob", "done")
		report(share, "nobody", early)
		report("another", "ann", early)
		h.expect("nobody and nothing", "refused bad-request", "refused bad-request")

		n, err := search.Parse("is:activated")
		if err != nil {
			t.Fatal(err)
		}
		page, err := h.ledger.Reader().Users(t.Context(), ledger.UsersQuery{Tenant: "contoso", Product: share, Search: n}, "", 9)
		if err != nil || len(page.Users) != 2 {
			t.Fatalf("activated: %+v, %v", page, err)
		}
		for _, u := range page.Users {
			if u.ID == "ann" && !u.Activated.Equal(early) || u.ID == "bob" && !u.Activated.Before(future) {
				t.Errorf("%s at %s", u.ID, u.Activated)
			}
		}
	})
}
