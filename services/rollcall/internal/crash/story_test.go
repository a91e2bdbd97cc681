package crash

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/workspacetest"
)

const (
	simulated = "contoso"
	product   = "secure-share"
	domain    = "contoso.com"
	group     = provisioning + domain
	users     = 300
	pace      = 15 * time.Millisecond  // between two changes
	still     = 500 * time.Millisecond // now and then, so that a group settles

	provisioning = "virtru-secure-share-provisioning-group@"
)

// story changes a directory at random until it is told to end.
type story struct {
	client *control.Client
	id     string // of the directory, in the simulator
	domain string
	pace   time.Duration
	rand   *rand.Rand
	people []string
	told   atomic.Int64 // changes that took effect
}

func newStory(t *testing.T, client *control.Client, id, domain string, pace time.Duration, seed uint64) *story {
	t.Helper()
	s := &story{client: client, id: id, domain: domain, pace: pace, rand: rand.New(rand.NewPCG(seed, 1))}
	all, err := client.Users(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range all {
		if u.Address != workspacetest.Admin(domain) { // in whose name a Workspace customer is read
			s.people = append(s.people, u.ID)
		}
	}
	return s
}

// begin tells the story until the returned function is called, which waits for its end and returns its error.
func (s *story) begin(ctx context.Context) (end func() error) {
	ctx, cancel := context.WithCancel(ctx)
	var wait sync.WaitGroup
	var fault error
	wait.Go(func() {
		for ctx.Err() == nil {
			if fault = s.turn(ctx); fault != nil {
				return
			}
			pause := s.pace
			if s.rand.IntN(60) == 0 {
				pause = still
			}
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
		}
	})
	return func() error {
		cancel()
		wait.Wait()
		if errors.Is(fault, context.Canceled) {
			return nil
		}
		return fault
	}
}

func newGroup(domain string) control.NewGroup {
	return control.NewGroup{Address: provisioning + domain, Kind: directory.MailEnabledSecurity, Name: "Secure Share"}
}

// turn is one change. Members come and go most often; now and then the whole group goes or comes back.
func (s *story) turn(ctx context.Context) error {
	group := provisioning + s.domain
	who := s.people[s.rand.IntN(len(s.people))]
	var err error
	var change control.Change
	switch n := s.rand.IntN(200); {
	case n < 70:
		change, err = s.client.AddMembers(ctx, s.id, group, who)
	case n < 130:
		change, err = s.client.RemoveMembers(ctx, s.id, group, who)
	case n < 145:
		change, err = s.client.Suspend(ctx, s.id, who)
	case n < 165:
		change, err = s.client.Unsuspend(ctx, s.id, who)
	case n < 173:
		change, err = s.client.RenameUser(ctx, s.id, who, control.Rename{Address: fmt.Sprintf("u%d@%s", s.rand.Uint32(), s.domain)})
	case n < 181:
		change, err = s.client.RemoveUser(ctx, s.id, who)
	case n < 190:
		change, err = s.client.RestoreUser(ctx, s.id, who)
	case n < 191:
		change, err = s.client.RemoveGroup(ctx, s.id, group)
	default:
		change, err = s.client.AddGroup(ctx, s.id, newGroup(s.domain))
	}
	var refused *control.Error
	if errors.As(err, &refused) {
		return nil // it is so already, or there is no such thing now
	}
	if err == nil && change.Count > 0 {
		s.told.Add(1)
	}
	return err
}
