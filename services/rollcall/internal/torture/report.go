package torture

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// Report is what came of a run.
type Report struct {
	Config      Config                    `json:"config"`
	Took        time.Duration             `json:"took"` // of the load, by the wall
	Changes     int64                     `json:"changes"`
	PerSecond   float64                   `json:"changes_per_second"` // by the wall
	Kills       map[string]int            `json:"kills"`              // of a part that had done work in its life
	Idle        int                       `json:"idle_kills"`         // of one that had not yet, which do not count
	Faults      map[control.FaultKind]int `json:"faults"`
	FullReads   int                       `json:"full_reads"` // after the first of each tenant
	Events      int                       `json:"events"`     // of LICENSES
	Revocations int                       `json:"revocations"`
	Held        []Approval                `json:"held"` // all were approved
	Tenants     []Tenant                  `json:"tenants"`
	Endings     []string                  `json:"endings,omitempty"` // of parts that ended by themselves
	Wrong       []string                  `json:"wrong,omitempty"`   // everything that is
	OK          bool                      `json:"ok"`
}

func (r *Report) take(from *record) {
	r.FullReads, r.Events, r.Revocations, r.Held = from.FullReads, from.Events, from.Revocations, from.Held
	r.Wrong = append(r.Wrong, from.Wrong...)
}

// judge comes to a verdict.
func (r *Report) judge() {
	if r.Took > 0 {
		r.PerSecond = float64(r.Changes) / r.Took.Seconds()
	}
	if r.PerSecond < r.Config.Least {
		r.Wrong = append(r.Wrong, fmt.Sprintf("%.1f changes a second: below %g a run does not count", r.PerSecond, r.Config.Least))
	}
	for _, t := range r.Tenants {
		if !t.Report.OK() {
			r.Wrong = append(r.Wrong, fmt.Sprintf("%s: %s", t.ID, t.Report))
		}
		if !t.Revocations.OK() {
			r.Wrong = append(r.Wrong, t.Revocations.String())
		}
	}
	r.Wrong = append(r.Wrong, r.Endings...)
	r.OK = len(r.Wrong) == 0 && len(r.Tenants) > 0
}

// KillCount is how many kills count.
func (r Report) KillCount() (sum int) {
	for _, n := range r.Kills {
		sum += n
	}
	return sum
}

// Write writes the report for people.
func (r Report) Write(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) {
		_, _ = fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	line("seed", "%d", r.Config.Seed)
	line("load", "%s by the wall, of %g times as much for the parts; full reads after the first %s",
		r.Took.Round(time.Second), r.Config.Speed, map[bool]string{true: "on", false: "off"}[r.Config.FullReads()])
	line("changes", "%d, %.1f a second", r.Changes, r.PerSecond)
	line("kills", "%d: %s; %d more of parts that had done nothing yet", r.KillCount(), counts(r.Kills), r.Idle)
	line("faults", "%s", counts(r.Faults))
	line("events", "%d on LICENSES, %d revocations; %d full reads", r.Events, r.Revocations, r.FullReads)
	line("held", "%d changes were approved", len(r.Held))
	for _, of := range r.approved() {
		line("", "%s", of)
	}
	for _, t := range r.Tenants {
		line(t.ID, "%s, %s after the last change: %s", t.Report.State, t.Took.Round(100*time.Millisecond), t.Report)
		line("", "%d revocations, %d of them justified, %d true once and told late", t.Revocations.Revocations, t.Revocations.Justified, t.Revocations.Late)
	}
	for _, wrong := range r.Wrong {
		line("WRONG", "%s", strings.ReplaceAll(wrong, "\n", "\n\t"))
	}
	line("verdict", "%s", map[bool]string{true: "directory = ledger = LICENSES = bucket, and every revocation was justified", false: "NOT TRUE, or it does not count"}[r.OK])
	return w.Flush()
}

// approved sums up what was held and approved, by tenant and kind. All of them are in the JSON.
func (r Report) approved() (all []string) {
	type of struct{ tenant, kind string }
	type sum struct{ changes, grants, revocations int }
	sums := map[of]sum{}
	for _, h := range r.Held {
		s := sums[of{h.Tenant, h.Kind}]
		sums[of{h.Tenant, h.Kind}] = sum{s.changes + 1, s.grants + h.Grants, s.revocations + h.Revocations}
	}
	for of, s := range sums {
		all = append(all, fmt.Sprintf("%s: %d of kind %s, of %d grants and %d revocations", of.tenant, s.changes, of.kind, s.grants, s.revocations))
	}
	slices.Sort(all)
	return all
}

// counts lists numbers by their names.
func counts[K ~string](of map[K]int) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(of)) {
		all = append(all, fmt.Sprintf("%s %d", name, of[name]))
	}
	return strings.Join(all, ", ")
}
