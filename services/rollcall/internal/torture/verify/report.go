package verify

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Report is what was found of the revocations of a product.
type Report struct {
	Tenant      string         `json:"tenant"`
	Product     string         `json:"product"`
	Revocations int            `json:"revocations"`
	Reasons     map[string]int `json:"reasons"`   // how many of each
	Justified   int            `json:"justified"` // by a state between their cause and themselves, or by a command
	// Late ones are justified only by a state that is older than their cause, and younger than what was last known to be
	// otherwise: true once, told late.
	Late        int          `json:"late"`
	Unjustified []Revocation `json:"unjustified,omitempty"`
	// Faults are of the record: an id that is told twice, a gap, a license that is revoked from who has none.
	Faults []string `json:"faults,omitempty"`
}

// Revocation is one that nothing which the directory held justifies.
type Revocation struct {
	User     string    `json:"user"`
	Event    string    `json:"event"`
	Sequence uint64    `json:"sequence"`
	At       time.Time `json:"at"`
	Reason   string    `json:"reason"`
	Claim    string    `json:"claim"`           // what the directory would have had to hold
	Chain    []Link    `json:"chain,omitempty"` // of causes, the last one first
	Window   Window    `json:"window"`
	// Overtaken: its cause had been seen before what gave the license.
	Overtaken bool `json:"overtaken,omitempty"`
	// Torn: the user was in the group all the time, but by no one way: one ended when another had begun. Who reads the groups
	// one behind the other may have seen neither.
	Torn bool    `json:"torn,omitempty"`
	Held []State `json:"held"` // by the directory: before the window, at its begin, and at each change within
}

// Window is a time with both its ends.
type Window struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// State is what the directory held of a user from a time on.
type State struct {
	At     time.Time `json:"at"`
	Before bool      `json:"before,omitempty"` // the window
	Is     string    `json:"is"`
}

// OK reports whether every revocation is justified, and the record is whole.
func (r Report) OK() bool { return len(r.Unjustified)+len(r.Faults) == 0 }

// String is a line when all is well, and otherwise all that is known of what is not.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %d revocations", r.Tenant, r.Product, r.Revocations)
	for i, reason := range slices.Sorted(maps.Keys(r.Reasons)) {
		fmt.Fprintf(&b, "%s%d %s", []string{", ", " ("}[min(1, max(0, 1-i))], r.Reasons[reason], reason)
	}
	if len(r.Reasons) > 0 {
		b.WriteString(")")
	}
	fmt.Fprintf(&b, ": %d justified, %d true once and told late, %d unjustified, %d faults of the record",
		r.Justified, r.Late, len(r.Unjustified), len(r.Faults))
	for _, u := range r.Unjustified {
		b.WriteString("\n")
		b.WriteString(u.String())
	}
	for _, f := range r.Faults {
		b.WriteString("\n  ")
		b.WriteString(f)
	}
	return b.String()
}

const clockTime = "15:04:05.000"

// String is some lines: what was told, why, and what the directory held.
func (r Revocation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "  user %s lost the license at %s by event %s (sequence %d), reason %s: the directory never held that they were %s\n",
		r.User, r.At.Format(clockTime), r.Event, r.Sequence, r.Reason, r.Claim)
	if len(r.Chain) == 0 {
		b.WriteString("    caused by nothing\n")
	}
	for _, l := range r.Chain {
		if l.Type == "" {
			fmt.Fprintf(&b, "    caused by %s, which no stream holds\n", l.ID)
			continue
		}
		fmt.Fprintf(&b, "    caused by %s of %s, %s\n", l.ID, l.At.Format(clockTime), l.Type)
	}
	if r.Overtaken {
		b.WriteString("    which had been seen before what gave the license\n")
	}
	if r.Torn {
		b.WriteString("    who was in the group all the time, but by no one way that lasted\n")
	}
	fmt.Fprintf(&b, "    the directory from %s to %s:", r.Window.From.Format(clockTime), r.Window.To.Format(clockTime))
	for _, s := range r.Held {
		before := ""
		if s.Before {
			before = "before that, "
		}
		fmt.Fprintf(&b, "\n      %sfrom %s on %s", before, s.At.Format(clockTime), s.Is)
	}
	return b.String()
}

// fail reports a revocation as unjustified.
func (j *judge) fail(d decision, c claim, w Window) *Revocation {
	u := Revocation{
		User: d.user, Event: d.id, Sequence: d.sequence, At: d.at, Reason: d.reason, Claim: c.words, Chain: c.chain, Window: w,
		Overtaken: c.overtaken,
	}
	root := c.group
	if root == "" {
		root = j.inForce(d.sequence).group
	}
	times := j.timeline.instants(d.user, root, w)
	if before := j.timeline.instants(d.user, root, Window{To: w.From.Add(-1)}); len(before) > 1 {
		u.Held = append(u.Held, State{At: before[len(before)-1], Before: true})
		if len(before) > 2 {
			u.Held = append([]State{{At: before[len(before)-2], Before: true}}, u.Held...)
		}
	}
	for _, at := range times {
		u.Held = append(u.Held, State{At: at})
	}
	for i, s := range u.Held {
		u.Held[i].Is = j.describe(d.user, root, s.At)
	}
	j.report.Unjustified = append(j.report.Unjustified, u)
	return &j.report.Unjustified[len(j.report.Unjustified)-1]
}

// describe says what the directory held of a user at a time.
func (j *judge) describe(user, root string, at time.Time) string {
	a := j.timeline.users[user].when(at)
	words := string(a.status)
	if a.status == "" {
		words = "not there"
	}
	if a.guest {
		words += ", a guest"
	}
	if root == "" {
		return words
	}
	in := "not in"
	if j.timeline.belongs(user, root, at) {
		in = "in"
	}
	g := j.timeline.groups[root].when(at)
	words += fmt.Sprintf(", %s group %s", in, root)
	switch {
	case !g.live:
		words += ", which is not there"
	case !g.has(j.cfg.Address):
		words += ", which has another address"
	}
	return words
}
