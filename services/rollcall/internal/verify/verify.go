// Package verify says whether what Rollcall has published is true: it reads the simulated directory over HTTP, folds the
// stream LICENSES, and compares the two user by user; then it holds every other place that keeps the decisions to the
// stream. It shares no code with what it judges: neither the worker, nor the ledger, nor the rules. It knows no provider:
// the simulator's control API tells of all directories in the same words.
package verify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/license"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// Directory is what is read of the simulator. *control.Client is one.
type Directory interface {
	Users(ctx context.Context, tenant string) ([]control.User, error)
	Groups(ctx context.Context, tenant string) ([]control.Group, error)
	Members(ctx context.Context, tenant, group string) ([]control.Member, error)
}

// Stream is what is read of LICENSES. *license.Client is one.
type Stream interface {
	Replay(ctx context.Context, o license.Options, fn license.Handler) error
	Stats() license.Stats
}

// Sources are what is compared.
type Sources struct {
	Directory Directory
	Stream    Stream
	Copies    []Copy // none: only directory and stream
}

// Config says which tenant, and which of its products.
type Config struct {
	Tenant    string // as Rollcall knows it
	Product   string
	Group     string // address of the provisioning group
	Simulated string // the tenant's name in the simulator
}

// Report is what a comparison found.
type Report struct {
	Users       int          `json:"users"`    // of the directory that should be licensed, or are
	Licensed    int          `json:"licensed"` // by the directory
	Events      int          `json:"events"`   // on LICENSES
	State       State        `json:"state"`
	Held        []HeldChange `json:"held,omitempty"`        // what waits for somebody, or was rejected
	Differences []Difference `json:"differences,omitempty"` // for which no held change is the reason
	Faults      []string     `json:"faults,omitempty"`      // of the stream itself, gaps and repeats, of lists, and of copies of it
	// Copies are the names of those that were held to the stream.
	Copies []string `json:"copies,omitempty"`
}

// Difference is a user for whom the stream says something else than the directory.
type Difference struct {
	User      string `json:"user"`
	Directory bool   `json:"directory"` // should be licensed
	Stream    bool   `json:"stream"`    // is licensed
	Reason    string `json:"reason,omitempty"`
}

// State sums up what a comparison found.
type State string

// The states.
const (
	True   State = "true"   // every entitlement equals the directory, and every copy the stream
	Parked State = "held"   // as good, but for what a held change has parked, which is on its list; or somebody has rejected it
	Untrue State = "untrue" // there is a difference that nothing explains, or a fault
)

func (r Report) state() State {
	switch {
	case len(r.Differences)+len(r.Faults) > 0:
		return Untrue
	case len(r.Held) > 0:
		return Parked
	default:
		return True
	}
}

// OK reports whether every entitlement equals the directory, and every copy the stream, and nothing is held.
func (r Report) OK() bool { return r.State == True }

// String says the first of what is wrong.
func (r Report) String() string {
	switch r.State {
	case True:
		all := strings.Join(append([]string{"the directory", "LICENSES"}, r.Copies...), ", ")
		return fmt.Sprintf("%d of %d users are licensed, say %s; %d events without a gap", r.Licensed, r.Users, all, r.Events)
	case Parked:
		var all []string
		for _, h := range r.Held {
			all = append(all, fmt.Sprintf("%s, for %d of whom the directory says otherwise", h, h.Users))
		}
		return "held: " + strings.Join(all, "; ")
	}
	var wrong []string
	for _, d := range r.Differences[:min(3, len(r.Differences))] {
		wrong = append(wrong, fmt.Sprintf("user %s: the directory says %t, the stream %t", d.User, d.Directory, d.Stream))
	}
	return fmt.Sprintf("%d users differ, %d faults: %s", len(r.Differences), len(r.Faults),
		strings.Join(slices.Concat(wrong, r.Faults[:min(3, len(r.Faults))]), "; "))
}

// Compare reads both sides once. What has changed within the last moments may differ: see Await.
func Compare(ctx context.Context, cfg Config, src Sources) (Report, error) {
	published, err := replay(ctx, cfg, src.Stream)
	if err != nil {
		return Report{}, err
	}
	expected, err := expect(ctx, cfg, src.Directory, published.group)
	if err != nil {
		return Report{}, err
	}
	report := Report{Users: len(expected), Events: published.events, Faults: published.faults}
	report.compare(expected, published)
	for _, c := range src.Copies {
		kept, err := c.Read(ctx)
		if err != nil {
			return Report{}, fmt.Errorf("read %s: %w", c.Name, err)
		}
		report.Copies = append(report.Copies, c.Name)
		report.Faults = append(report.Faults, c.faults(published.last, kept)...)
	}
	report.State = report.state()
	return report, nil
}

// compare sets the directory against the stream, and what differs against what is held.
func (r *Report) compare(expected map[string]standing, published *fold) {
	parked := holdsOf(&published.held)
	for user, want := range expected {
		got := published.last[user].Licensed
		want.licensed = want.licensed || want.stands && got
		if want.licensed {
			r.Licensed++
		}
		switch {
		case got == want.licensed:
			parked.agrees(user)
		case !parked.explains(user, want, got):
			r.Differences = append(r.Differences, Difference{User: user, Directory: want.licensed, Stream: got, Reason: published.reason[user]})
		}
	}
	for user, got := range published.last {
		if _, known := expected[user]; got.Licensed && !known && !parked.explains(user, standing{}, true) {
			r.Differences = append(r.Differences, Difference{User: user, Stream: true, Reason: published.reason[user]})
		}
	}
	slices.SortFunc(r.Differences, func(a, b Difference) int { return strings.Compare(a.User, b.User) })
	r.Held = parked.report()
	r.Faults = append(r.Faults, parked.faults()...)
}

// How long Await rests between two comparisons: at first, and at most. To compare is work for those who are compared.
const (
	shortRest = 250 * time.Millisecond
	longRest  = 2 * time.Second
)

// Await compares until the two agree or patience is up, and returns the last report. A comparison that is under way then is
// finished: a long record takes its time to read.
func Await(ctx context.Context, cfg Config, src Sources, patience time.Duration) (Report, error) {
	return AwaitState(ctx, cfg, src, True, patience)
}

// AwaitState compares until the state is the wanted one, as Await does.
func AwaitState(ctx context.Context, cfg Config, src Sources, want State, patience time.Duration) (Report, error) {
	limit := time.After(patience)
	for rest := shortRest; ; rest = min(2*rest, longRest) {
		report, err := Compare(ctx, cfg, src)
		if err != nil || report.State == want {
			return report, err
		}
		select {
		case <-ctx.Done():
			return report, ctx.Err()
		case <-limit:
			return report, nil
		case <-time.After(rest):
		}
	}
}
