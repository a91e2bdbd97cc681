package controlapi

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

// TestWhatTheLogHasForgottenIsSaid: a log that no longer goes back that far is no log of nothing.
func TestWhatTheLogHasForgottenIsSaid(t *testing.T) {
	t.Parallel()
	cfg := store.Config{Dir: t.TempDir(), Retain: time.Nanosecond}
	s, err := store.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.PutTenant(store.Tenant{ID: "contoso", DirectoryID: "t", Domains: []string{"contoso.com"}}); err != nil {
		t.Fatal(err)
	}
	users := make([]*store.User, 30_000) // so many that closing makes a snapshot
	for i := range users {
		users[i] = &store.User{ID: fmt.Sprintf("user-%d", i), UPN: fmt.Sprintf("user-%d@contoso.com", i), Name: strings.Repeat("long ", 40)}
	}
	if _, err := s.AddUsers("t", users); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = store.Open(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	h := serve(s)
	for query, want := range map[string]int{
		"?after=0": http.StatusGone, "?after=30000": http.StatusOK, "?after=-1": http.StatusBadRequest, "": http.StatusBadRequest,
	} {
		if w := send(h, http.MethodGet, "/control/tenants/contoso/changes"+query, ""); w.Code != want {
			t.Errorf("changes%s: %d, want %d", query, w.Code, want)
		}
	}
}
