package torture

import (
	"context"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/house"
	"github.com/rollcall-hq/rollcall/services/simulator"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// simulated is a simulator that lives as long as the test.
func simulated(t *testing.T) *control.Client {
	t.Helper()
	s, err := simulator.New(simulator.Config{}, simulator.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	client, err := control.NewWithCA(s.URL(), s.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// TestStoriesKnowWhatTheyHaveDone: nearly every turn changes something, and the directory is as the story thinks.
func TestStoriesKnowWhatTheyHaveDone(t *testing.T) {
	t.Parallel()
	account, err := house.OpenAccount(filepath.Join(t.TempDir(), "account.json"))
	if err != nil {
		t.Fatal(err)
	}
	client := simulated(t)
	all := companies(Default())
	for _, c := range []*company{all[0], all[tenantsPerProvider]} {
		t.Run(string(c.provider), func(t *testing.T) {
			t.Parallel()
			if _, err := c.make(t.Context(), client, account, 1); err != nil {
				t.Fatal(err)
			}
			var told atomic.Int64
			s := newStory(c, client, 1, 1, 1, &told)
			const turns = 1500
			vain := 0
			for range turns {
				n, err := s.turn(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if n == 0 {
					vain++
				}
			}
			if vain > turns/5 || told.Load() < turns {
				t.Errorf("%d of %d turns changed nothing, the others %d objects and links", vain, turns, told.Load())
			}
			s.hold(t, client)
		})
	}
}

// hold holds a story to the directory that it has changed.
func (s *story) hold(t *testing.T, client *control.Client) {
	t.Helper()
	users, err := client.Users(t.Context(), s.id)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range users {
		if slices.Contains(s.people, u.ID) && (u.Status == directory.Deleted) != s.deleted[u.ID] {
			t.Errorf("user %s is %s, and for the story deleted is %t", u.ID, u.Status, s.deleted[u.ID])
		}
	}
	for _, group := range append([]string{""}, s.nested...) {
		if group == "" && !s.present {
			continue
		}
		listed, err := client.Members(t.Context(), s.id, s.named(group))
		if err != nil {
			t.Fatal(err)
		}
		in := 0
		for _, m := range listed {
			if m.Kind == directory.GroupMember && !s.in[m.ID] || m.Kind == directory.UserMember && !s.members[group][m.ID] {
				t.Errorf("%s is in group %q, of which the story knows nothing", m.ID, group)
			}
			if m.Kind == directory.UserMember {
				in++
			}
		}
		want := 0
		for id := range s.members[group] {
			if !s.deleted[id] {
				want++
			}
		}
		if in != want {
			t.Errorf("%d users are in group %q, for the story %d", in, group, want)
		}
	}
}
