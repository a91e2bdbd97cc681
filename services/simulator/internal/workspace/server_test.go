package workspace

import (
	"net/http"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/googleauth"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/traffic"
)

// superAdmin lets everyone in as the super admin of one customer.
type superAdmin struct{ tenant store.Tenant }

func (a superAdmin) Caller(*http.Request) (googleauth.Caller, error) {
	return googleauth.SuperAdmin(a.tenant, "1", a.tenant.App.Scopes...), nil
}

// newServer serves a customer with one user in one group.
func newServer(t testing.TB) http.Handler {
	t.Helper()
	s, err := store.Open(store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	tenant := store.Tenant{
		ID: "initech", Provider: directory.GoogleWorkspace, DirectoryID: "C03az79cb", Domains: []string{"initech.com"},
		App: store.App{Scopes: control.DefaultScopes()},
	}
	if err := s.PutTenant(tenant); err != nil {
		t.Fatal(err)
	}
	ann := &store.User{ID: "1", Name: "Ann", UPN: "ann@initech.com", Mail: "ann@initech.com"}
	team := &store.Group{ID: "0", Name: "Team", Mail: "team@initech.com", Kind: directory.WorkspaceGroup}
	if _, err := s.AddUsers(tenant.DirectoryID, []*store.User{ann}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddGroup(tenant.DirectoryID, team, false); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Join(tenant.DirectoryID, team.ID, []string{ann.ID}); err != nil {
		t.Fatal(err)
	}
	return New(Config{
		Store: s, Callers: superAdmin{tenant}, Meter: traffic.NewMeter(), Faults: traffic.NewFaults(clock.System()), Clock: clock.System(),
		Settings: func() control.Settings { return control.Settings{QuotaPerMinute: 1 << 30} },
	}).Handler()
}
