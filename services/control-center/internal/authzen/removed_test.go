package authzen_test

import (
	"slices"
	"testing"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/centertest"
)

// TestAProductThatWasRemoved: who held a license of it holds it, and what else it gave is not known any more.
func TestAProductThatWasRemoved(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Remove(centertest.Contoso, centertest.Share)
	for _, c := range []struct {
		user, action, tenant, reason string
		decision                     bool
	}{
		{"ada", "use", "contoso", "group-member", true},
		{"cid", "use", "contoso", "suspended", false},
		{"bob", "use", "contoso", "not-a-member", false},
		{"ada", "share.initiate", "contoso", "no-such-product", false},
		{"ada", "share.initiate", "fabrikam", "group-member", true}, // which has it still
	} {
		got := h.post(t, centertest.Operator, "/access/v1/evaluation", body(c.user, c.action, "secure-share", c.tenant))
		if *got.Decision != c.decision || got.Context.Reason != c.reason {
			t.Errorf("%+v: %t, %+v", c, *got.Decision, got.Context)
		}
	}
	found := func(path, body string) (all []string) {
		t.Helper()
		for _, r := range h.post(t, centertest.Operator, path, body).Results {
			all = append(all, r.ID+r.Name)
		}
		slices.Sort(all)
		return all
	}
	for path, c := range map[string]struct {
		body string
		want []string
	}{
		"/access/v1/search/subject":  {body("", "use", "secure-share", "contoso"), []string{"ada", "dan"}},
		"/access/v1/search/resource": {body("ada", "use", "", "contoso"), []string{"drive", "secure-share"}},
		"/access/v1/search/action":   {body("ada", "", "secure-share", "contoso"), []string{"use"}},
	} {
		if got := found(path, c.body); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", path, got, c.want)
		}
	}
}
