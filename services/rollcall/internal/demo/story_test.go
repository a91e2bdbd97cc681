package demo

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

func TestListsAreNoticed(t *testing.T) {
	t.Parallel()
	before := map[string]control.Counter{"GET /users": {Requests: 2}, "GET /users/delta token": {Requests: 1}}
	after := map[string]control.Counter{"GET /users": {Requests: 2}, "GET /users/delta token": {Requests: 9}, "GET /users/{id}": {Requests: 4}}
	if err := noLists(before, after); err != nil {
		t.Errorf("single reads are taken for lists: %v", err)
	}
	after["GET /groups/{id}/members"] = control.Counter{Requests: 1}
	if noLists(before, after) == nil {
		t.Error("a list of members goes unnoticed")
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
	for ms, want := range map[float64]string{4.26: "4.3 ms", 12.4: "12 ms", 1840: "1.8 s"} {
		if got := seconds(ms); got != want {
			t.Errorf("%v ms: %q, want %q", ms, got, want)
		}
	}
}
