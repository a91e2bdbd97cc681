package apply_test

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
)

// opened checks that something is held which is to be.
func (l *law) opened(ev event.Event, o event.HeldOpened) error {
	why := false
	switch o.Kind {
	case event.HeldFreeze:
		why = l.model.frozen
	case event.HeldRevocations:
		why = l.model.hold.Guard.Bulk(o.Revocations, l.within(ev.Time()), o.Licensed)
	case event.HeldFlip:
		state := l.model.policies[l.product]
		why = state.Proposes() && state.Target() == licensing.Policy{Mode: licensing.Mode(o.Mode), Group: o.Group} &&
			l.waits(ev.Time(), o.Grants, o.Revocations, o.Licensed)
	case event.HeldRefresh:
		why = o.Grants+o.Revocations > 0
	}
	if !why {
		return fmt.Errorf("nothing is to be held, and yet %s", ev)
	}
	return nil
}

// waits says whether a flip is to wait for somebody.
func (l *law) waits(now time.Time, grants, revoked, licensed int) bool {
	over := l.record.seats.Purchased != nil && licensed+grants-revoked > *l.record.seats.Purchased
	return l.model.hold.Flips || l.moved || l.model.frozen && revoked > 0 || grants > 0 && over ||
		l.model.hold.Guard.Bulk(revoked, l.within(now), licensed)
}

// listed checks that what was rejected is not raised again, but by another group.
func (l *law) listed(ev event.Event, listed event.HeldListed) error {
	if flip := l.record.holds[event.HeldFlip]; flip != nil && flip.Held == listed.Held {
		return nil
	}
	for _, u := range listed.Users {
		if u.Listed && !u.Licensed && l.rejected[u.User] == u.Reason {
			return fmt.Errorf("the same evidence once more: %s", ev)
		}
	}
	return nil
}

// closed takes in what was said of a list.
func (l *law) closed(ev event.Event, c event.HeldClosed) error {
	h := l.record.holds[c.Kind]
	if h == nil {
		return fmt.Errorf("nothing of that kind is open: %s", ev)
	}
	flip := c.Kind == event.HeldFlip
	switch c.Outcome {
	case event.HeldApproved:
		l.said(h, func(u event.HeldUser) { l.approved[u.User] = true; l.forget(u.User) })
	case event.HeldExpired:
		if ev.Time().Before(h.Expires) || c.Kind == event.HeldFreeze {
			return fmt.Errorf("it expires at %v: %s", h.Expires, ev)
		}
		fallthrough
	case event.HeldRejected:
		if flip {
			l.model.policies[l.product] = l.model.policies[l.product].Reject()
		} else {
			l.said(h, func(u event.HeldUser) {
				l.rejected[u.User], l.pardoned[u.User+" "+u.Reason] = u.Reason, true
			})
		}
	case event.HeldWithdrawn:
		if state := l.model.policies[l.product]; flip && state.Proposes() && state.Target().Group == h.Group {
			return fmt.Errorf("it is proposed still: %s", ev)
		}
	}
	if c.By != "" && c.By != l.asked {
		return fmt.Errorf("%q has asked, and yet %s", l.asked, ev)
	}
	return nil
}

func (l *law) said(h *heldRecord, each func(event.HeldUser)) {
	for _, u := range h.list {
		if !u.Licensed {
			each(u)
		}
	}
}

// unheard takes a list that took effect without a word: it must have been one that need not be held.
func (l *law) unheard(kind string, now time.Time, grants, revoked int, users []string) error {
	licensed := len(l.record.licensed())
	if kind == event.HeldRevocations {
		if l.model.hold.Guard.Bulk(revoked, l.within(now), licensed) {
			return fmt.Errorf("%d of %d licenses are a bulk, and nobody was asked", revoked, licensed)
		}
		l.window = append(l.window, revocations{now, revoked})
	} else if l.waits(now, grants, revoked, licensed) {
		return fmt.Errorf("a flip (+%d -%d of %d) took effect, and nobody was asked", grants, revoked, licensed)
	}
	for _, user := range users {
		l.approved[user] = true
	}
	return nil
}

// changed lets go of what was rejected about users of whom it is not so any more.
func (l *law) changed() {
	if !l.model.decides() {
		return
	}
	for user, reason := range l.rejected {
		if d := l.model.rule(l.model.policies[l.product].Policy, user); d.Licensed || string(d.Reason) != reason {
			delete(l.rejected, user)
		}
	}
}

// forget lets go of what was rejected about a user.
func (l *law) forget(user string) {
	delete(l.rejected, user)
	maps.DeleteFunc(l.pardoned, func(said string, _ bool) bool { return strings.HasPrefix(said, user+" ") })
}
