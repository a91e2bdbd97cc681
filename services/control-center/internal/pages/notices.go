package pages

import (
	"context"
	"net/http"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/command"
)

// Notices tells those who do not watch, see package notice.
type Notices interface {
	// Destinations is how many are told what happens to a tenant.
	Destinations(tenant string) int
	// Test sends a notice to each of them, and returns how many there are and how many have not taken it.
	Test(ctx context.Context, tenant, id string) (all, failed int)
}

// destinations is how many are told what happens to the tenant.
func (p *Pages) destinations(s *scope) int {
	if p.deps.Notices == nil {
		return 0
	}
	return p.deps.Notices.Destinations(s.Tenant.ID)
}

// testPatience is how long a test may take in all.
const testPatience = 20 * time.Second

// testNotices sends a test to whoever is told what happens to the tenant. The same form, sent twice, sends the same notice.
func (p *Pages) testNotices(w http.ResponseWriter, r *http.Request, s *scope) error {
	key := r.PostFormValue("key")
	if !command.ValidKey(key) {
		return badRequest("The form names no key.")
	}
	if p.destinations(s) == 0 {
		return errNotFound
	}
	ctx, cancel := context.WithTimeout(r.Context(), testPatience)
	defer cancel()
	all, failed := p.deps.Notices.Test(ctx, s.Tenant.ID, s.Tenant.ID+".test."+key)
	p.deps.Logger.InfoContext(r.Context(), "notices tested", "tenant", s.Tenant.ID, "by", s.Who.ID, "destinations", all, "failed", failed)
	if failed == 0 {
		return goOn(w, r, s.Path()+"/settings", saidTested)
	}
	return p.showSettings(w, r, s, http.StatusOK, []notice{{
		Kind: "bad", Title: "Not everything has arrived",
		Text: count(failed, "destination has", "destinations have") + " not taken the test, of " + number(all) + ". The log of the Control Center says why.",
	}})
}
