package store

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// inOrder is what a Workspace directory tells in the order of addresses.
func inOrder(v View) (users, rosters []string) {
	for u := range v.UsersByAddress(Place{}, false) {
		users = append(users, u.UPN)
	}
	for g := range v.GroupsByAddress(Place{}, false) {
		for m := range v.Roster(g.ID, Place{}) {
			rosters = append(rosters, g.ID+" "+m.Address+" "+m.Role)
		}
	}
	return users, rosters
}

// TestReplicasShowThePast changes a tenant step by step, and holds what a replica shows against what there was.
func TestReplicasShowThePast(t *testing.T) {
	t.Parallel()
	for _, provider := range []directory.Provider{directory.Entra, directory.GoogleWorkspace} {
		now := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
		s, err := Open(Config{Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.PutTenant(Tenant{ID: "contoso", Provider: provider, DirectoryID: tenantID, Domains: []string{"contoso.com"}}); err != nil {
			t.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(9, 0))
		churn(s, rng, 60)
		if err := s.Trail(tenantID, 8*time.Second); err != nil {
			t.Fatal(err)
		}
		type past struct {
			picture
			users, rosters []string
		}
		photograph := func(v View) past {
			p := past{picture: lookAt(v)}
			p.Subs = nil // they have no version
			p.users, p.rosters = inOrder(v)
			return p
		}
		album, versions := map[uint64]past{}, []uint64{}
		shown, last := 0, uint64(0)
		for range 120 {
			now = now.Add(time.Second)
			churn(s, rng, 2)
			_ = s.View(tenantID, func(v View) error {
				album[v.Version()] = photograph(v)
				versions = append(versions, v.Version())
				return nil
			})
			age := rng.IntN(6)
			behind, err := s.ViewBehind(tenantID, now.Add(-time.Duration(age)*time.Second), nil, func(v View) error {
				if then := versions[max(0, len(versions)-1-age)]; v.Version() < last || v.Version() < then && len(versions) > age {
					t.Errorf("version %d behind %d, with %d at the time", v.Version(), last, then)
				}
				last = v.Version()
				if want, known := album[last]; known {
					if diff := cmp.Diff(want, photograph(v), cmp.AllowUnexported(past{})); diff != "" {
						t.Fatalf("version %d (-was +shown):\n%s", last, diff)
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if behind {
				shown++
			}
			if n := len(s.replicas[tenantID].pending); n > 8*3 {
				t.Fatalf("%d records wait", n)
			}
		}
		if shown < 40 {
			t.Errorf("%d views were behind", shown)
		}
	}
}

func TestReplicasAreForThoseWhoTrail(t *testing.T) {
	t.Parallel()
	s := withTenant(t, "")
	behind := func(fits func(View) bool) bool {
		t.Helper()
		is, err := s.ViewBehind(tenantID, time.Now().Add(-time.Hour), fits, func(v View) error {
			if v.Version() != 0 || v.Tenant().Name != "new" {
				t.Errorf("version %d of %q", v.Version(), v.Tenant().Name)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return is
	}
	if err := s.EditTenant(tenantID, func(i *Tenant) { i.Name = "old" }); err != nil {
		t.Fatal(err)
	}
	if err := s.Trail(tenantID, time.Hour); err != nil {
		t.Fatal(err)
	}
	if behind(nil) {
		t.Error("it is behind though nothing has changed")
	}
	if err := s.EditTenant(tenantID, func(i *Tenant) { i.Name = "new" }); err != nil {
		t.Fatal(err)
	}
	churn(s, rand.New(rand.NewPCG(1, 0)), 50)
	if !behind(nil) || behind(func(View) bool { return false }) {
		t.Error("it is not behind, or was shown though it did not fit")
	}
	if err := s.Trail(tenantID, 0); err != nil || behind(nil) {
		t.Errorf("it goes on trailing: %v", err)
	}
	if err := s.Trail("nobody", 1); err == nil {
		t.Error("nobody trails")
	}
}

// TestReplicasAreReadWhileTheTenantChanges is for the race detector.
func TestReplicasAreReadWhileTheTenantChanges(t *testing.T) {
	t.Parallel()
	s := withTenant(t, "")
	if err := s.Trail(tenantID, time.Millisecond); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() { churn(s, rand.New(rand.NewPCG(1, 0)), 2000) })
	for range 2 {
		all.Go(func() {
			for range 200 {
				_, _ = s.ViewBehind(tenantID, time.Now(), nil, func(v View) error { _ = lookAt(v); return nil })
				_ = s.View(tenantID, func(v View) error { _ = slices.Collect(v.Users(0)); return nil })
			}
		})
	}
	all.Wait()
}
