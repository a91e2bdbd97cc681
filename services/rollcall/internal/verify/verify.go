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
	Differences []Difference `json:"differences,omitempty"`
	Faults      []string     `json:"faults,omitempty"` // of the stream itself, gaps and repeats, and of copies of it
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

// OK reports whether every entitlement equals the directory, and every copy the stream.
func (r Report) OK() bool { return len(r.Differences) == 0 && len(r.Faults) == 0 }

// String says the first of what is wrong.
func (r Report) String() string {
	if r.OK() {
		all := strings.Join(append([]string{"the directory", "LICENSES"}, r.Copies...), ", ")
		return fmt.Sprintf("%d of %d users are licensed, say %s; %d events without a gap", r.Licensed, r.Users, all, r.Events)
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
		held, err := c.Read(ctx)
		if err != nil {
			return Report{}, fmt.Errorf("read %s: %w", c.Name, err)
		}
		report.Copies = append(report.Copies, c.Name)
		report.Faults = append(report.Faults, c.faults(published.last, held)...)
	}
	return report, nil
}

// compare sets the directory against the stream.
func (r *Report) compare(expected map[string]bool, published *fold) {
	for user, want := range expected {
		if want {
			r.Licensed++
		}
		if got := published.last[user].Licensed; got != want {
			r.Differences = append(r.Differences, Difference{User: user, Directory: want, Stream: got, Reason: published.reason[user]})
		}
	}
	for user, got := range published.last {
		if _, known := expected[user]; got.Licensed && !known {
			r.Differences = append(r.Differences, Difference{User: user, Stream: true, Reason: published.reason[user]})
		}
	}
	slices.SortFunc(r.Differences, func(a, b Difference) int { return strings.Compare(a.User, b.User) })
}

// How long Await rests between two comparisons: at first, and at most. To compare is work for those who are compared.
const (
	shortRest = 250 * time.Millisecond
	longRest  = 2 * time.Second
)

// Await compares until the two agree or patience is up, and returns the last report. A comparison that is under way then is
// finished: a long record takes its time to read.
func Await(ctx context.Context, cfg Config, src Sources, patience time.Duration) (Report, error) {
	limit := time.After(patience)
	for rest := shortRest; ; rest = min(2*rest, longRest) {
		report, err := Compare(ctx, cfg, src)
		if err != nil || report.OK() {
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
