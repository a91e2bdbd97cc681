package event_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/event/eventtest"
)

// TestNewKeepsToTheContract draws data and attributes of every type, and follows them over the wire and back.
func TestNewKeepsToTheContract(t *testing.T) {
	t.Parallel()
	for _, eventType := range eventTypes {
		t.Run(eventType, func(t *testing.T) {
			t.Parallel()
			validator := eventtest.Shared(t)
			rapid.Check(t, func(t *rapid.T) {
				d := draw(t, eventType)
				ev, err := event.New(d.eventType, d.meta, d.data)
				if err != nil {
					t.Fatal(err)
				}
				if err := validator.Event(ev); err != nil {
					t.Fatal(err)
				}
				body, err := event.Encode(ev)
				if err != nil {
					t.Fatal(err)
				}
				if quick, err := event.Marshal(d.eventType, d.meta, d.data); err != nil || !bytes.Equal(quick, body) {
					t.Fatalf("Marshal: %v\n%s\nwant\n%s", err, quick, body)
				}
				again, err := event.Decode(body)
				if err != nil {
					t.Fatal(err)
				}
				sameMeta(t, d.meta, again)
				data := reflect.New(payloads[eventType])
				if err := json.Unmarshal(again.Data(), data.Interface()); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(d.data, data.Elem().Interface()); diff != "" {
					t.Fatalf("data changed (-was +is):\n%s", diff)
				}
			})
		})
	}
}

func sameMeta(t *rapid.T, want event.Meta, ev event.Event) {
	t.Helper()
	got := event.Meta{
		ID: ev.ID(), Source: ev.Source(), Subject: ev.Subject(), Time: ev.Time(), Tenant: event.Tenant(ev),
		Cause: event.Cause(ev), TraceParent: event.TraceParent(ev),
	}
	if want.Sequence != 0 {
		n, err := event.Sequence(ev)
		if err != nil {
			t.Fatal(err)
		}
		got.Sequence = n
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("attributes changed (-was +is):\n%s", diff)
	}
}

func TestObservationsSurviveTheWire(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(observations, 0, 5).Draw(t, "page")
		body, err := json.Marshal(event.DirectoryObserved{Observations: event.FromObservations(want)})
		if err != nil {
			t.Fatal(err)
		}
		var wire event.DirectoryObserved
		if err := json.Unmarshal(body, &wire); err != nil {
			t.Fatal(err)
		}
		got, err := wire.Directory()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-was +is):\n%s", diff)
		}
	})
}

func TestStampsKeepTheirOrderOverTheWire(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := stamps.Draw(t, "a"), stamps.Draw(t, "b")
		if got := event.StampOf(a).Directory().Compare(event.StampOf(b).Directory()); got != a.Compare(b) {
			t.Fatalf("compare is %d, was %d", got, a.Compare(b))
		}
	})
}

func TestBadObservationsSayWhy(t *testing.T) {
	t.Parallel()
	user := &event.User{ID: "u1", Status: "active"}
	group := &event.Group{ID: "g1"}
	link := func(group, kind, id string) *event.Membership {
		return &event.Membership{GroupID: group, MemberKind: kind, MemberID: id, Present: true}
	}
	for name, test := range map[string]struct {
		observation event.Observation
		want        string
	}{
		"nothing":                   {event.Observation{}, "0 of user, group and membership are set"},
		"two":                       {event.Observation{User: user, Group: group}, "2 of user"},
		"three":                     {event.Observation{User: user, Group: group, Membership: link("g1", "user", "u1")}, "3 of user"},
		"user without id":           {event.Observation{User: &event.User{Status: "active"}}, "no usable id"},
		"user with a spaced id":     {event.Observation{User: &event.User{ID: "u 1", Status: "active"}}, "no usable id"},
		"user without status":       {event.Observation{User: &event.User{ID: "u1"}}, `unknown status ""`},
		"user of unknown status":    {event.Observation{User: &event.User{ID: "u1", Status: "on-holiday"}}, `unknown status "on-holiday"`},
		"group without id":          {event.Observation{Group: &event.Group{}}, "no usable id"},
		"membership without group":  {event.Observation{Membership: link("", "user", "u1")}, "no usable group id"},
		"membership without member": {event.Observation{Membership: link("g1", "user", "")}, "no usable id"},
		"membership of a printer":   {event.Observation{Membership: link("g1", "printer", "p1")}, `unknown kind "printer"`},
		"customer with id":          {event.Observation{Membership: link("g1", "customer", "c1")}, "has an id"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := test.observation.Directory()
			if !errors.Is(err, event.ErrBadObservation) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want one that says %q", err, test.want)
			}
			page := event.DirectoryObserved{Observations: []event.Observation{{User: user}, test.observation}}
			if _, err := page.Directory(); !errors.Is(err, event.ErrBadObservation) || !strings.Contains(err.Error(), "observation 1") {
				t.Errorf("error of the page is %v, want one that names observation 1", err)
			}
		})
	}
}

func TestAnUnknownGroupKindPasses(t *testing.T) {
	t.Parallel()
	got, err := event.Observation{Group: &event.Group{ID: "g1", Kind: "mailing-list"}}.Directory()
	if err != nil || got.Group.Kind != directory.GroupKind("mailing-list") {
		t.Errorf("got %+v, %v", got.Group, err)
	}
}
