package verify

import (
	"fmt"
	"slices"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// Config says what is judged, and how narrowly.
type Config struct {
	Product string
	Address string // of the provisioning group
	// Tolerance is by how much the clocks of the directory and of Rollcall may differ. 0 means DefaultTolerance.
	Tolerance time.Duration
	// Lag is how long the directory's own API may take to show what it holds. Windows begin so much earlier; what needs
	// that counts as told late.
	Lag time.Duration
}

// DefaultTolerance is for processes that share a clock, where a time is taken a moment before or behind what it is of.
const DefaultTolerance = 100 * time.Millisecond

// Revocations judges every revocation of a product. The timeline has to reach as far as the record.
func Revocations(cfg Config, t *Timeline, r *Record) Report {
	if cfg.Tolerance == 0 {
		cfg.Tolerance = DefaultTolerance
	}
	report := Report{Tenant: r.tenant, Product: cfg.Product, Reasons: map[string]int{}}
	p := r.products[cfg.Product]
	if p == nil {
		return report
	}
	report.Faults = slices.Clone(p.faults)
	j := judge{cfg: cfg, timeline: t, record: r, product: p, report: &report, stands: map[string]standing{}}
	for _, d := range p.decisions {
		j.take(d)
	}
	return report
}

// judge goes through the decisions of a product in their order.
type judge struct {
	cfg      Config
	timeline *Timeline
	record   *Record
	product  *published
	report   *Report
	stands   map[string]standing // by user
	licensed int
}

// standing is what the record says of a user so far.
type standing struct {
	licensed bool
	sequence uint64 // of the last decision that said licensed, for another reason than that a revocation waits
	cause    string // of that
}

// reasonHeld is that of a license which stands only because its end is parked or was rejected.
const reasonHeld = "held"

func (j *judge) take(d decision) {
	before := j.stands[d.user]
	now := before
	now.licensed = d.licensed
	if d.licensed && d.reason != reasonHeld {
		now.sequence, now.cause = d.sequence, d.cause
	}
	j.stands[d.user] = now
	if d.revokes {
		j.report.Revocations++
		j.report.Reasons[d.reason]++
		if !before.licensed {
			j.report.Faults = append(j.report.Faults, fmt.Sprintf("event %s revokes what user %s did not have", d.id, d.user))
		}
		j.weigh(d, before)
	}
	switch { // behind the verdict: seats are counted as they were before
	case d.licensed && !before.licensed:
		j.licensed++
	case !d.licensed && before.licensed:
		j.licensed--
	}
}

// weigh says whether a revocation is justified.
func (j *judge) weigh(d decision, before standing) {
	c := j.claim(d, before)
	if c.justified != nil { // not by the directory
		if !*c.justified {
			j.fail(d, c, Window{From: d.at, To: d.at})
			return
		}
		j.report.Justified++
		return
	}
	near := Window{From: d.at, To: d.at.Add(j.cfg.Tolerance)}
	if at := root(c.chain); c.overtaken {
		near.From = c.known
	} else if !at.IsZero() && at.Before(near.From) {
		near.From = at
	}
	near.From = near.From.Add(-j.cfg.Tolerance)
	far := j.backTo(c.turn, near)
	switch {
	case j.some(d, c, near):
		j.report.Justified++
	case j.some(d, c, far):
		j.report.Late++
	default:
		u := j.fail(d, c, far)
		u.Torn = c.group != "" && !j.timeline.lasts(d.user, c.group, j.backTo(c.first, near))
	}
}

// backTo is a window that begins with a turn of the evidence, if that is earlier.
func (j *judge) backTo(t turn, w Window) Window {
	if at := t.since.Add(-j.cfg.Tolerance); t.found && at.Before(w.From) {
		w.From = at
	}
	w.From = w.From.Add(-j.cfg.Lag)
	return w
}

// some reports whether a claim holds at some instant of a window.
func (j *judge) some(d decision, c claim, w Window) bool {
	return slices.ContainsFunc(j.timeline.instants(d.user, c.group, w), c.holds)
}

// claim is what a revocation says of the directory.
type claim struct {
	holds func(time.Time) bool // at a time
	words string
	group string // the provisioning group in force, where the reason is of one
	chain []Link
	// turn is when the evidence turned that is on the pages of the chain or, if none is there, any since the license was given.
	// first is when any that stands did, also before that.
	turn, first turn
	// overtaken: what caused it was known to the decision that gave the license, which was made because of what was seen at known.
	overtaken bool
	known     time.Time
	// justified is set where nothing that the directory held can justify it, or has to.
	justified *bool
}

// claim finds out what a revocation says, and when the evidence for that began.
func (j *judge) claim(d decision, before standing) claim {
	c := claim{chain: j.record.chain(d.user, d.cause)}
	granted := j.record.lastPage(j.record.chain(d.user, before.cause))
	caused := j.record.lastPage(c.chain)
	c.known, c.overtaken = granted.at, caused.page > 0 && caused.page <= granted.page
	q := sought{granted: granted, until: d.at.Add(j.cfg.Tolerance)}
	is := func(need func(account) bool) claim {
		c.holds = func(t time.Time) bool { return need(j.timeline.users[d.user].when(t)) }
		return c.of(j.record, q, func(q sought) turn { return j.record.ofUser(d.user, q, need) })
	}
	switch d.reason {
	case "suspended":
		c.words = "suspended or archived"
		return is(func(a account) bool { return a.status == directory.Suspended || a.status == directory.Archived })
	case "deleted":
		c.words = "deleted"
		return is(func(a account) bool { return a.status == "" || a.status == directory.Deleted })
	case "guest":
		c.words = "a guest"
		return is(func(a account) bool { return a.guest })
	case "not-a-member":
		return j.ofMember(d, before, c, q)
	default:
		return j.ofNoDirectory(d, c)
	}
}

// ofMember is the claim that a user is not in the provisioning group. Where the group came to count after the license was
// given, it also says that the group has the address, and what was seen of that is the evidence.
func (j *judge) ofMember(d decision, before standing, c claim, q sought) claim {
	force := j.inForce(d.sequence)
	c.group = force.group
	if force.mode != "group-members" {
		c.words = "not a member of a group, while all users are licensed"
		return c.settled(false)
	}
	c.words = "not in group " + c.group
	outside := func(t time.Time) bool { return !j.timeline.belongs(d.user, c.group, t) }
	of := func(q sought) turn { return j.record.ofMembership(j.timeline, d.user, q) }
	if force.sequence < before.sequence {
		c.holds = outside
		return c.of(j.record, q, of)
	}
	c.words += ", which has the address"
	c.overtaken = false
	c.chain = j.record.chain(d.user, d.cause, force.id)
	c.holds = func(t time.Time) bool { return j.timeline.groups[c.group].when(t).has(j.cfg.Address) && outside(t) }
	c.turn = j.record.ofAddress(c.group, j.cfg.Address, force.at.Add(j.cfg.Tolerance))
	c.first = c.turn.or(of(sought{until: q.until}))
	return c
}

// of finds the turns of a claim.
func (c claim) of(r *Record, q sought, of func(sought) turn) claim {
	c.first = of(sought{until: q.until})
	anywhere := of(q)
	q.on = func(page int) bool {
		return slices.ContainsFunc(c.chain, func(l Link) bool { return r.nodes[l.ID].page == page })
	}
	if c.turn = of(q); !c.turn.found {
		c.turn = anywhere
	}
	return c
}

// inForce is the policy that was last told before a sequence.
func (j *judge) inForce(sequence uint64) (last policy) {
	for _, p := range j.product.policies {
		if p.sequence < sequence {
			last = p
		}
	}
	return last
}

// ofNoDirectory is for reasons that are not the directory's.
func (j *judge) ofNoDirectory(d decision, c claim) claim {
	switch d.reason {
	case "disconnected":
		c.words = "disconnected by somebody who asked to end the licenses"
		return c.settled(j.record.revoking && !j.connected(d.sequence))
	case "over-seat-limit":
		c.words = fmt.Sprintf("one of %d who are licensed, more than the enforced seats", j.licensed)
		for _, s := range slices.Backward(j.product.seats) {
			if s.sequence < d.sequence {
				return c.settled(s.enforced && s.purchased != nil && j.licensed > *s.purchased)
			}
		}
		return c.settled(false)
	default:
		c.words = fmt.Sprintf("%q, which is no reason to revoke that is known here", d.reason)
		return c.settled(false)
	}
}

func (j *judge) connected(sequence uint64) bool {
	connected := true
	for _, s := range j.product.connected {
		if s.sequence < sequence {
			connected = s.is
		}
	}
	return connected
}

func (c claim) settled(justified bool) claim {
	c.justified = &justified
	return c
}
