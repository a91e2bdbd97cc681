package apply_test

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
)

// record folds what was told of one product, as a consumer would who has nothing but the stream.
type record struct {
	sequence  uint64
	policy    licensing.Policy
	users     map[string]event.Entitlement
	holds     map[string]*heldRecord // that are open, by kind
	line      map[string]int         // place, by user
	activated map[string]time.Time   // first sign-ins, by user
	places    int                    // the highest place that was ever given
	seats     event.SeatsChanged
	exceeded  bool
	settings  event.SettingsChanged
	all       []event.Event
	degraded  event.Degraded           // none while it has no class
	expiring  event.CredentialExpiring // none while it has no days
	causes    map[string]event.Event
}

// heldRecord is an open held change as it was told.
type heldRecord struct {
	event.HeldOpened
	revision int
	list     map[string]event.HeldUser
}

func newRecord() *record {
	return &record{
		users: map[string]event.Entitlement{}, holds: map[string]*heldRecord{}, line: map[string]int{}, activated: map[string]time.Time{}, causes: map[string]event.Event{},
	}
}

// fold checks that an event is the next of its source and says something new that fits what was told before, and takes it in.
func (r *record) fold(ev event.Event) error {
	n, err := event.Sequence(ev)
	if err != nil {
		return err
	}
	if n != r.sequence+1 {
		return fmt.Errorf("%s follows %d", ev.ID(), r.sequence)
	}
	r.sequence, r.all = n, append(r.all, ev)
	if r.causes[ev.ID()] = ev; event.Cause(ev) == "" {
		return fmt.Errorf("%s has no cause: %s", ev.ID(), ev)
	}
	if ev.Subject() != "" {
		return with(ev, r.foldEntitlement)
	}
	switch ev.Type() {
	case event.TypePolicyChanged:
		return with(ev, r.foldPolicy)
	case event.TypeHeldOpened:
		return with(ev, r.foldOpened)
	case event.TypeHeldListed:
		return with(ev, r.foldListed)
	case event.TypeHeldClosed:
		return with(ev, r.foldClosed)
	case event.TypeLineChanged:
		return with(ev, r.foldLine)
	case event.TypeSeatsChanged:
		return with(ev, r.foldSeats)
	case event.TypeSeatsExceeded, event.TypeSeatsWithin:
		return with(ev, r.foldUse)
	case event.TypeUserActivated:
		return with(ev, r.foldActivated)
	case event.TypeSettingsChanged:
		if r.settings, err = event.Data[event.SettingsChanged](ev); !r.settings.Connected {
			r.degraded, r.expiring = event.Degraded{}, event.CredentialExpiring{}
		}
		return err
	case event.TypeConnectionDegraded:
		return with(ev, r.foldDegraded)
	case event.TypeConnectionRecovered:
		return with(ev, r.foldRecovered)
	case event.TypeCredentialExpiring:
		return with(ev, r.foldExpiring)
	case event.TypeCredentialReplaced:
		return with(ev, r.foldReplaced)
	default:
		return fmt.Errorf("%s is a %s", ev.ID(), ev.Type())
	}
}

func with[T any](ev event.Event, fold func(event.Event, T) error) error {
	data, err := event.Data[T](ev)
	if err != nil {
		return err
	}
	return fold(ev, data)
}

// foldPolicy takes another policy. A product that begins again, after it was away, names none as the previous.
func (r *record) foldPolicy(ev event.Event, p event.PolicyChanged) error {
	if p.PreviousMode != "" && (string(r.policy.Mode) != p.PreviousMode || r.policy.Group != p.PreviousGroup) {
		return fmt.Errorf("%s names %s %s as previous, was %+v", ev.ID(), p.PreviousMode, p.PreviousGroup, r.policy)
	}
	r.policy = licensing.Policy{Mode: licensing.Mode(p.Mode), Group: p.Group}
	return nil
}

func (r *record) foldEntitlement(ev event.Event, e event.Entitlement) error {
	old, known := r.users[e.User]
	r.users[e.User] = e
	if !known {
		if e.Previous != nil || !e.Licensed || ev.Type() != event.TypeLicenseGranted {
			return fmt.Errorf("%s is the first of its user: %s", ev.ID(), ev)
		}
		return nil
	}
	was := event.Previous{Licensed: old.Licensed, Since: old.Since, Reason: old.Reason, Path: old.Path}
	if e.Previous == nil || fmt.Sprint(*e.Previous) != fmt.Sprint(was) {
		return fmt.Errorf("%s: previous %+v, was %+v", ev.ID(), e.Previous, was)
	}
	if e.Licensed == old.Licensed && e.Reason == old.Reason && slices.Equal(e.Path, old.Path) {
		return fmt.Errorf("%s is no transition: %s", ev.ID(), ev)
	}
	want, since := event.TypeLicenseReasonChanged, old.Since
	if e.Licensed != old.Licensed {
		since = ev.Time()
		want = cmp.Or(map[bool]string{true: event.TypeLicenseGranted}[e.Licensed], event.TypeLicenseRevoked)
	}
	if ev.Type() != want || !e.Since.Equal(since) {
		return fmt.Errorf("%s: %s since %v, was %+v", ev.ID(), ev.Type(), e.Since, old)
	}
	return nil
}

func (r *record) foldOpened(ev event.Event, o event.HeldOpened) error {
	if r.holds[o.Kind] != nil {
		return fmt.Errorf("%s opens %s while %s is open", ev.ID(), o.Held, r.holds[o.Kind].Held)
	}
	if want := fmt.Sprintf("%s-%d", o.Kind, r.sequence); o.Held != want || o.Licensed != len(r.licensed()) {
		return fmt.Errorf("%s opens %+v, want %s of %d licensed", ev.ID(), o, want, len(r.licensed()))
	}
	r.holds[o.Kind] = &heldRecord{HeldOpened: o, revision: o.Revision, list: map[string]event.HeldUser{}}
	return nil
}

func (r *record) foldListed(ev event.Event, l event.HeldListed) error {
	for _, h := range r.holds {
		if h.Held != l.Held {
			continue
		}
		if l.Revision < h.revision || l.Revision > h.revision+1 {
			return fmt.Errorf("%s: revision %d follows %d", ev.ID(), l.Revision, h.revision)
		}
		h.revision = l.Revision
		for _, u := range l.Users {
			if delete(h.list, u.User); u.Listed {
				h.list[u.User] = u
			}
		}
		return nil
	}
	return fmt.Errorf("%s lists users of %s, which is not open", ev.ID(), l.Held)
}

func (r *record) foldClosed(ev event.Event, c event.HeldClosed) error {
	h := r.holds[c.Kind]
	if h == nil || h.Held != c.Held || c.Revision != h.revision {
		return fmt.Errorf("%s closes %+v, open is %+v", ev.ID(), c, h)
	}
	if (c.By == "") != (c.Outcome == event.HeldExpired || c.Outcome == event.HeldWithdrawn) {
		return fmt.Errorf("%s: %s by %q", ev.ID(), c.Outcome, c.By)
	}
	delete(r.holds, c.Kind)
	return nil
}

func (r *record) foldLine(ev event.Event, l event.LineChanged) error {
	place, waits := r.line[l.User]
	switch {
	case l.Waiting == waits, l.Waiting && l.Place <= r.places, !l.Waiting && l.Place != place:
		return fmt.Errorf("%s: %+v, was at %d, the last place is %d", ev.ID(), l, place, r.places)
	case l.Waiting:
		r.line[l.User], r.places = l.Place, l.Place
	default:
		delete(r.line, l.User)
	}
	return nil
}

// foldActivated takes a first sign-in, and later only what was earlier.
func (r *record) foldActivated(ev event.Event, a event.UserActivated) error {
	before, known := r.activated[a.User]
	if known && !a.At.Before(before) || a.By == "" {
		return fmt.Errorf("%s: %+v, was %s", ev.ID(), a, before)
	}
	r.activated[a.User] = a.At
	return nil
}

func (r *record) foldSeats(ev event.Event, s event.SeatsChanged) error {
	if s.Used != len(r.licensed()) || s.By == "" {
		return fmt.Errorf("%s: %+v, while %d are licensed", ev.ID(), s, len(r.licensed()))
	}
	if r.seats = s; s.Purchased == nil {
		r.exceeded = false
	}
	return nil
}

func (r *record) foldUse(ev event.Event, u event.SeatsUse) error {
	exceeded := ev.Type() == event.TypeSeatsExceeded
	if r.exceeded == exceeded || r.seats.Purchased == nil || u.Purchased != *r.seats.Purchased || u.Used != len(r.licensed()) {
		return fmt.Errorf("%s: %s, %+v, while %d are licensed", ev.ID(), ev.Type(), u, len(r.licensed()))
	}
	r.exceeded = exceeded
	return nil
}

func (r *record) foldDegraded(ev event.Event, d event.Degraded) error {
	before := r.degraded
	r.degraded = d
	if before.Class != "" && !before.Since.Equal(d.Since) {
		return fmt.Errorf("%s: since %v, was %+v", ev.ID(), d.Since, before)
	}
	if before.Detail = d.Detail; before == d {
		return fmt.Errorf("%s is no transition: %s", ev.ID(), ev)
	}
	return nil
}

func (r *record) foldRecovered(ev event.Event, c event.Recovered) error {
	before := r.degraded
	if r.degraded = (event.Degraded{}); before.Class != c.Class || c.Class == "" || !before.Since.Equal(c.Since) {
		return fmt.Errorf("%s: %+v, was %+v", ev.ID(), c, before)
	}
	return nil
}

// foldExpiring takes what ends soon: another end, or the same that has come nearer.
func (r *record) foldExpiring(ev event.Event, e event.CredentialExpiring) error {
	before := r.expiring
	if r.expiring = e; e.Days == 0 || before.Expires.Equal(e.Expires) && before.Days > 0 && e.Days >= before.Days {
		return fmt.Errorf("%s: %+v, was %+v", ev.ID(), e, before)
	}
	return nil
}

func (r *record) foldReplaced(ev event.Event, c event.CredentialReplaced) error {
	before := r.expiring
	if r.expiring = (event.CredentialExpiring{}); before.Days == 0 || !before.Expires.Equal(c.Was) || c.Expires.Equal(c.Was) {
		return fmt.Errorf("%s: %+v, was %+v", ev.ID(), c, before)
	}
	return nil
}

func (r *record) licensed() map[string]string {
	all := map[string]string{}
	for id, e := range r.users {
		if e.Licensed {
			all[id] = fmt.Sprint(e.Reason, e.Path)
		}
	}
	return all
}
