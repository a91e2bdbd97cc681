package apply_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// law is what may be told of one product now: it follows the events and the commands, transaction by transaction.
type law struct {
	model    *model
	product  string
	record   *record
	approved map[string]bool   // who may lose the license, whatever else there is: somebody has said so, and it is not done yet
	rejected map[string]string // the reason for which somebody has said that a user shall not
	pardoned map[string]bool   // the same, "user reason", until something else is decided about the user
	window   []revocations     // of the last hour, that nobody has approved

	// Of the transaction in hand.
	preview  bool               // it is a page of a preview
	asked    string             // who has given the command that it is
	alone    []licensing.Reason // revocations that nobody has approved
	licensed int                // when the first of them came
	parking  bool               // a list of revocations was open when it began
	moved    bool               // the product's address had changed when it began, and nothing had come of it
	line     string             // who has just left the line
}

// revocations are how many there were at a time.
type revocations struct {
	at time.Time
	n  int
}

func newLaw(m *model, product string, r *record) *law {
	return &law{model: m, product: product, record: r, approved: map[string]bool{}, rejected: map[string]string{}, pardoned: map[string]bool{}}
}

// begin starts a transaction.
func (l *law) begin(preview bool, asked string) {
	l.preview, l.asked, l.alone, l.line = preview, asked, nil, ""
	l.parking = l.record.holds[event.HeldRevocations] != nil
	l.moved = l.model.readdressed[l.product]
}

// end checks what its revocations were together.
func (l *law) end(now time.Time) error {
	n := len(l.alone)
	if n == 0 {
		return nil
	}
	single := n == 1 && l.alone[0].Alone()
	others := l.within(now)
	l.window = append(l.window, revocations{now, n})
	if !single && (l.parking || l.model.hold.Guard.Bulk(n, others, l.licensed)) {
		return fmt.Errorf("%d of %d licenses were revoked (%v) after %d of the last hour, lists are open: %v", n, l.licensed, l.alone, others, l.parking)
	}
	return nil
}

func (l *law) within(now time.Time) (n int) {
	for _, r := range l.window {
		if r.at.Unix()/60 > now.Add(-time.Hour).Unix()/60 {
			n += r.n
		}
	}
	return n
}

// heed checks an event before it is taken into what was told.
func (l *law) heed(ev event.Event) error {
	switch ev.Type() {
	case event.TypeLicenseGranted, event.TypeLicenseRevoked, event.TypeLicenseReasonChanged:
		return with(ev, l.decision)
	case event.TypePolicyChanged:
		return with(ev, func(_ event.Event, p event.PolicyChanged) error {
			return l.model.follow(l.product, licensing.Policy{Mode: licensing.Mode(p.Mode), Group: p.Group})
		})
	case event.TypeHeldOpened:
		return with(ev, l.opened)
	case event.TypeHeldListed:
		return with(ev, l.listed)
	case event.TypeHeldClosed:
		return with(ev, l.closed)
	case event.TypeLineChanged:
		return with(ev, l.lined)
	default:
		return nil
	}
}

// decision checks that what is told of a user is so, and that it may be told.
func (l *law) decision(ev event.Event, e event.Entitlement) error {
	if !l.model.decides() {
		return fmt.Errorf("nothing is to be decided, and yet: %s", ev)
	}
	if _, shown := l.model.users[e.User]; !shown {
		return fmt.Errorf("no read has shown whom it is about: %s", ev)
	}
	d := l.model.rule(l.model.policies[l.product].Policy, e.User)
	reason := licensing.Reason(e.Reason)
	so := d.Licensed == e.Licensed && d.Reason == reason && slices.Equal(d.Path, e.Path)
	switch {
	case reason == licensing.Held:
		so = e.Licensed && !d.Licensed
	case reason == licensing.OverSeatLimit:
		_, limited := l.limit()
		so = !e.Licensed && d.Licensed && limited
	default:
		l.forget(e.User)
	}
	if !so {
		return fmt.Errorf("the rules say %+v: %s", d, ev)
	}
	if reason != licensing.Held {
		defer delete(l.approved, e.User) // what comes later is another matter
	}
	switch ev.Type() {
	case event.TypeLicenseRevoked:
		return l.revoked(ev, e)
	case event.TypeLicenseGranted:
		return l.granted(ev, e)
	default:
		return nil
	}
}

// limit is how many seats are free, if they are a limit.
func (l *law) limit() (free int, limited bool) {
	if l.record.seats.Purchased == nil {
		return 0, false
	}
	return max(0, *l.record.seats.Purchased-len(l.record.licensed())), l.record.seats.Enforce
}

func (l *law) revoked(ev event.Event, e event.Entitlement) error {
	switch {
	case l.model.disconnected == ledger.LicensesEnded:
		return nil
	case l.model.frozen, l.preview:
		return fmt.Errorf("frozen: %v, preview: %v, and yet %s", l.model.frozen, l.preview, ev)
	case l.approved[e.User]:
		return nil
	case l.rejected[e.User] == e.Reason:
		return fmt.Errorf("somebody has said no to %s", ev)
	case len(l.alone) == 0:
		l.licensed = len(l.record.licensed())
	}
	l.alone = append(l.alone, licensing.Reason(e.Reason))
	return nil
}

// granted checks that a seat is free, and nobody waits for it longer.
func (l *law) granted(ev event.Event, e event.Entitlement) error {
	served := l.line == e.User
	l.line = ""
	free, limited := l.limit()
	switch {
	case limited && free == 0:
		return fmt.Errorf("no seat is free: %s", ev)
	case limited && !served && free <= len(l.record.line):
		return fmt.Errorf("%v wait, and yet %s", l.record.line, ev)
	case l.preview && !served:
		return fmt.Errorf("in a preview: %s", ev)
	default:
		return nil
	}
}

// lined checks that who is served is the next.
func (l *law) lined(_ event.Event, c event.LineChanged) error {
	if c.Waiting {
		return nil
	}
	l.line = c.User
	if d := l.model.rule(l.model.policies[l.product].Policy, c.User); !d.Licensed {
		return nil
	}
	if _, limited := l.limit(); !limited {
		return nil
	}
	for user, place := range l.record.line {
		if place < c.Place {
			return fmt.Errorf("%s is served before %s", c.User, user)
		}
	}
	return nil
}
