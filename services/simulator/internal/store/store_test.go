package store

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

const tenantID = "fbbfdecf-d3f9-46dd-ad49-44cfadec859b"

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func withTenant(t *testing.T, dir string) *Store {
	t.Helper()
	s := open(t, dir)
	if err := s.PutTenant(Tenant{ID: "contoso", DirectoryID: tenantID, Domains: []string{"contoso.com"}}); err != nil {
		t.Fatal(err)
	}
	return s
}

func user(n int) *User {
	return &User{ID: fmt.Sprintf("u%d", n), UPN: fmt.Sprintf("u%d@contoso.com", n)}
}

// picture is everything that a view can tell, for comparing two stores.
type picture struct {
	Version uint64
	Users   []User
	Groups  []Group
	Members map[string][]string
	At      map[string][]string
	Log     []Change
	Subs    []Subscription
}

func look(t *testing.T, s *Store) (p picture) {
	t.Helper()
	if err := s.View(tenantID, func(v View) error { p = lookAt(v); return nil }); err != nil {
		t.Fatal(err)
	}
	return p
}

func lookAt(v View) picture {
	p := picture{Members: map[string][]string{}, At: map[string][]string{}}
	p.Version = v.Version()
	for u := range v.Users(0) {
		p.Users = append(p.Users, *u)
		p.At[u.UPN] = slices.Sorted(slices.Values(v.At(u.UPN)))
	}
	for g := range v.Groups(0) {
		p.Groups = append(p.Groups, *g)
		for _, id := range v.Members(g.ID, 0) {
			p.Members[g.ID] = append(p.Members[g.ID], id)
		}
	}
	p.Log = append(p.Log, v.Changes(0, v.Version())...)
	for _, sub := range v.Subscriptions() {
		p.Subs = append(p.Subs, *sub)
	}
	return p
}

// churn makes n random mutations; those that make no sense are refused, which is fine.
func churn(s *Store, rng *rand.Rand, n int) {
	for range n {
		u, g := fmt.Sprintf("u%d", rng.IntN(20)), fmt.Sprintf("g%d", rng.IntN(4))
		switch rng.IntN(11) {
		case 0, 1:
			_, _ = s.AddUsers(tenantID, []*User{user(rng.IntN(20))})
		case 2:
			_, _ = s.AddGroup(tenantID, &Group{ID: g, Mail: g + "@contoso.com", Kind: directory.Microsoft365}, false)
		case 3, 4:
			_, _ = s.Join(tenantID, g, []string{u})
		case 5:
			_, _ = s.Leave(tenantID, g, []string{u})
		case 6:
			_, _ = s.DeleteUser(tenantID, u)
		case 7:
			_, _ = s.RestoreUser(tenantID, u)
		case 8:
			_, _ = s.Purge(tenantID, []string{u, g}[rng.IntN(2)])
		case 9:
			_, _ = s.EditUser(tenantID, u, func(u *User) { u.Disabled = !u.Disabled })
		case 10:
			if rng.IntN(2) == 0 {
				_, _ = s.DeleteGroup(tenantID, g)
			} else {
				_, _ = s.RestoreGroup(tenantID, g)
			}
		}
	}
	_ = s.PutSubscription(tenantID, Subscription{ID: "s", Resource: "users"}, nil)
}

func TestReopen(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		dir := t.TempDir()
		s := withTenant(t, dir)
		rng := rand.New(rand.NewPCG(seed, 0))
		churn(s, rng, 200)
		want := look(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, dir)
		if diff := cmp.Diff(want, look(t, s)); diff != "" {
			t.Fatalf("seed %d, from the journal (-want +got):\n%s", seed, diff)
		}
		if err := s.writeSnapshot(1); err != nil {
			t.Fatal(err)
		}
		_ = s.Close()
		s = open(t, dir)
		if diff := cmp.Diff(want, look(t, s)); diff != "" {
			t.Fatalf("seed %d, from the snapshot (-want +got):\n%s", seed, diff)
		}
		churn(s, rng, 100)
		want = look(t, s)
		_ = s.Close()
		if diff := cmp.Diff(want, look(t, open(t, dir))); diff != "" {
			t.Fatalf("seed %d, from both (-want +got):\n%s", seed, diff)
		}
	}
}

// TestLogTellsTheState folds the log and must find the members: what a delta query is made from is complete.
func TestLogTellsTheState(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		s := withTenant(t, "")
		churn(s, rand.New(rand.NewPCG(seed, 1)), 300)
		p := look(t, s)
		folded := map[string]map[string]bool{}
		for i, c := range p.Log {
			if c.Version != uint64(i+1) {
				t.Fatalf("seed %d: version %d at %d", seed, c.Version, i)
			}
			switch c.Kind {
			case MemberJoined, MemberLeft:
				if folded[c.ID] == nil {
					folded[c.ID] = map[string]bool{}
				}
				folded[c.ID][c.Member] = c.Kind == MemberJoined
			case GroupPurged:
				delete(folded, c.ID)
			}
		}
		for _, g := range p.Groups {
			var got []string
			for id, in := range folded[g.ID] {
				if in {
					got = append(got, id)
				}
			}
			want := slices.Sorted(slices.Values(p.Members[g.ID]))
			if slices.Sort(got); !slices.Equal(got, want) {
				t.Fatalf("seed %d: group %s folds to %v, is %v", seed, g.ID, got, want)
			}
		}
	}
}

func TestTornLineIsDropped(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := withTenant(t, dir)
	if _, err := s.AddUsers(tenantID, []*User{user(1)}); err != nil {
		t.Fatal(err)
	}
	want := look(t, s)
	_ = s.Close()
	path := filepath.Join(dir, "journal-0.jsonl")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(whole, whole[:len(whole)/3]...), 0o600); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	if diff := cmp.Diff(want, look(t, s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := s.AddUsers(tenantID, []*User{user(2)}); err != nil {
		t.Fatal(err)
	}
	want = look(t, s)
	_ = s.Close()
	if diff := cmp.Diff(want, look(t, open(t, dir))); diff != "" {
		t.Errorf("after another write (-want +got):\n%s", diff)
	}
}

func TestBrokenLineIsAnError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_ = withTenant(t, dir).Close()
	path := filepath.Join(dir, "journal-0.jsonl")
	whole, _ := os.ReadFile(path)
	if err := os.WriteFile(path, append([]byte("{\n"), whole...), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("opened a broken journal: %v", err)
	}
}

func TestSnapshotTrimsTheLog(t *testing.T) {
	t.Parallel()
	dir, now := t.TempDir(), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s, err := Open(Config{Dir: dir, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	_ = s.PutTenant(Tenant{ID: "contoso", DirectoryID: tenantID})
	_, _ = s.AddUsers(tenantID, []*User{user(1)})
	now = now.Add(9 * 24 * time.Hour)
	_, _ = s.AddUsers(tenantID, []*User{user(2)})
	if err := s.writeSnapshot(1); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	_ = open(t, dir).View(tenantID, func(v View) error {
		if v.Oldest() != 1 || v.Version() != 2 || len(v.Changes(0, 2)) != 1 {
			t.Errorf("oldest %d, version %d, %d changes", v.Oldest(), v.Version(), len(v.Changes(0, 2)))
		}
		return nil
	})
}

// BenchmarkOneChangeInABigGroup shows that one change costs no scan: it takes microseconds.
func BenchmarkOneChangeInABigGroup(b *testing.B) {
	s, _ := Open(Config{})
	_ = s.PutTenant(Tenant{ID: "contoso", DirectoryID: tenantID})
	users, ids := make([]*User, 100_000), make([]string, 50_000)
	for i := range users {
		users[i] = user(i)
	}
	for i := range ids {
		ids[i] = users[i].ID
	}
	_, _ = s.AddUsers(tenantID, users)
	_, _ = s.AddGroup(tenantID, &Group{ID: "g", Kind: directory.Security}, false)
	_, _ = s.Join(tenantID, "g", ids)
	for i := 0; b.Loop(); i++ {
		r, _ := s.Leave(tenantID, "g", ids[i%50_000:i%50_000+1])
		_ = s.View(tenantID, func(v View) error {
			if got := len(v.Changes(r.Version-1, r.Version)); got != 1 {
				b.Fatal(got)
			}
			return nil
		})
		_, _ = s.Join(tenantID, "g", ids[i%50_000:i%50_000+1])
	}
}
