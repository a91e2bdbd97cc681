package demo

import (
	"bytes"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/held"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

func TestListsAreNoticed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		provider provider
		single   map[string]control.Counter // what single users may need
		list     string
	}{
		"entra": {
			provider: entra(), list: "GET /groups/{id}/members",
			single: map[string]control.Counter{"GET /users": {Requests: 2}, "GET /users/delta token": {Requests: 9}, "GET /users/{id}": {Requests: 4}},
		},
		"workspace": {
			provider: workspace(), list: "GET admin/users",
			single: map[string]control.Counter{"GET admin/users": {Requests: 2}, "GET admin/users/{userKey}": {Requests: 9}, "GET admin/members": {Requests: 40}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := map[string]control.Counter{"GET /users": {Requests: 2}, "GET admin/users": {Requests: 2}, "GET /users/delta token": {Requests: 1}}
			if err := noLists(c.provider.lists, before, c.single); err != nil {
				t.Errorf("single reads are taken for lists: %v", err)
			}
			listed := maps.Clone(c.single)
			listed[c.list] = control.Counter{Requests: c.single[c.list].Requests + 1}
			if noLists(c.provider.lists, before, listed) == nil {
				t.Errorf("%s goes unnoticed", c.list)
			}
		})
	}
}

func TestRows(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	tell := newTeller(&out)
	tell.head([]*story{{company: companies(nil)[0]}, {company: companies(nil)[1]}})
	tell.row("All of it.", []cell{
		Step{Measured: fromStart, EventType: event.TypeLicenseGranted, Granted: 1891, LatencyMS: 930}.cell(),
		Step{Measured: fromChange, LatencyMS: 1234}.cell(),
	})
	tell.row(strings.Repeat("word ", 14), []cell{
		Step{Measured: fromNotification, EventType: event.TypeLicenseRevoked, LatencyMS: 9.5}.cell(),
		Step{Measured: fromNotification, EventType: event.TypePolicyChanged, Revoked: 7, LatencyMS: 12.4}.cell(),
	})
	tell.row("Held.", []cell{
		Step{Measured: fromCommand, EventType: event.TypeHeldOpened, Held: &Held{Grants: 2, Revocations: 7}, LatencyMS: 12.4}.cell(),
		{what: "withdrawn", took: "1.1 s", more: "who is on it"},
	})
	want := strings.Repeat(" ", 64) + `  contoso (Entra ID)      initech (Workspace)
  1 All of it.                                                    1891 licensed   930 ms  no event        1.2 s*
  2 word word word word word word word word word word word word
    word word                                                     revoked         9.5 ms  7 revoked        12 ms
  3 Held.                                                         9 held           12 ms  withdrawn        1.1 s
    who is on it
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestWhatIsShown: an admin sees how many licenses would change, and the first names of the list.
func TestWhatIsShown(t *testing.T) {
	t.Parallel()
	s := &story{company: companies(nil)[0], cast: cast{names: map[string]string{"1": "Eve", "2": "Bob", "3": "Ada", "4": "Dan"}}}
	c := held.Change{Opened: event.HeldOpened{Held: "flip-7", Licensed: 9}, Revision: 3, Lines: map[string]event.HeldUser{
		"1": {User: "1", Listed: true}, "2": {User: "2", Listed: true}, "3": {User: "3", Listed: true, Licensed: true},
	}}
	want := "contoso: flip-7 at revision 3 would grant 1 and revoke 2 of 9 licenses: Ada, Bob, Eve"
	if got := s.show(c); got != want {
		t.Errorf("three: %s", got)
	}
	c.Lines["4"] = event.HeldUser{User: "4", Listed: true}
	want = "contoso: flip-7 at revision 3 would grant 1 and revoke 3 of 9 licenses: Ada, Bob, Dan and 1 more"
	if got := s.show(c); got != want {
		t.Errorf("four: %s", got)
	}
}

func TestSummarize(t *testing.T) {
	t.Parallel()
	steps := []Step{
		{Change: "connect", EventType: event.TypeLicenseGranted, LatencyMS: 9000, Measured: fromStart},
		{User: "renamed", LatencyMS: 8000, Measured: fromNotification},
		{User: "polled", EventType: event.TypeLicenseGranted, LatencyMS: 7000, Measured: fromChange},
	}
	for i := range 100 {
		steps = append(steps, Step{User: "u", EventType: event.TypeLicenseRevoked, LatencyMS: float64(100 - i), Measured: fromNotification})
	}
	if diff := cmp.Diff(Latency{Count: 100, P50MS: 50, P99MS: 99, MaxMS: 100}, summarize(steps)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if (summarize(steps[:3]) != Latency{}) {
		t.Error("what was not measured from the notification counts")
	}
}

func TestWrapAndSeconds(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff([]string{"one two", "three"}, wrap("one two three", 8)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for ms, want := range map[float64]string{4.26: "4.3 ms", 9.96: "10 ms", 12.4: "12 ms", 1840: "1.8 s"} {
		if got := seconds(ms); got != want {
			t.Errorf("%v ms: %q, want %q", ms, got, want)
		}
	}
}
