package workspace

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// TestSimulatedPushes: a channel for each resource; its first message; a push of a change, which the journal then shows
// under the same id; and silence once it is stopped.
func TestSimulatedPushes(t *testing.T) {
	t.Parallel()
	s := simulate(t, control.Settings{})
	ctx := t.Context()
	pushed := make(chan receiver.Notification, 100)
	sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		items, err := s.provider.Parse(r.Header, body)
		if err != nil || len(items) != 1 || items[0].Fault != nil {
			t.Errorf("%+v, %v", items, err)
			return
		}
		pushed <- items[0]
	}))
	t.Cleanup(sink.Close)
	next := func() receiver.Notification {
		select {
		case n := <-pushed:
			return n
		case <-time.After(within):
			t.Fatal("no push came")
			return receiver.Notification{}
		}
	}
	c, err := s.AddGroup(ctx, "initech", control.NewGroup{Address: "seats@initech.com"})
	group := did(t, c, err)
	s.both(t)

	made := map[string]receiver.Channel{}
	for i, resource := range s.directory.Resources() {
		name := string(rune('A'+i)) + "BCDEFGHIJKLMNOPQRSTUVWXYZ"
		ch, err := s.directory.CreateChannel(ctx, receiver.NewChannel{
			Name: name, Resource: resource, URL: sink.URL, Secret: "secret-of-" + resource, Expires: time.Now().Add(s.directory.ChannelLife()),
		})
		if err != nil {
			t.Fatal(err)
		}
		if left := time.Until(ch.Expires); ch.ID != name || ch.ResourceID == "" || left < time.Hour || left > 6*time.Hour+time.Minute {
			t.Errorf("made %+v", ch)
		}
		if n := next(); n.News != receiver.ChannelOpened || n.ChannelID != name || n.ResourceID != ch.ResourceID || n.Secret != "secret-of-"+resource {
			t.Errorf("the first message is %+v", n)
		}
		made[resource] = ch
	}

	c, err = s.AddUser(ctx, "initech", control.NewUser{Address: "liz@initech.com"})
	liz := did(t, c, err)
	var hints []receiver.Notification
	for range 2 { // of "users" and of "admin"
		hints = append(hints, next())
	}
	shown := s.both(t).Shown
	for _, n := range hints {
		switch n.Resource {
		case receiver.UserResource:
			if n.ID != liz || n.ResourceID != made["users"].ResourceID {
				t.Errorf("user: %+v", n)
			}
		case receiver.ActivityResource:
			if !slices.Contains(shown, n.ID) || n.DirectoryID != s.tenant.DirectoryID {
				t.Errorf("activity: %+v is not among %v", n, shown)
			}
		default:
			t.Errorf("pushed %+v", n)
		}
	}

	for _, ch := range made {
		for range 2 {
			if err := s.directory.DeleteChannel(ctx, ch); err != nil {
				t.Errorf("stop %s: %v", ch.Resource, err)
			}
		}
	}
	c, err = s.AddMembers(ctx, "initech", group, liz)
	did(t, c, err)
	live, err := s.Subscriptions(ctx, "initech")
	if err != nil || len(live) != 0 {
		t.Errorf("channels that are left: %+v, %v", live, err)
	}
}
