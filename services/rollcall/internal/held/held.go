// Package held folds what LICENSES tells of held changes, as any consumer can: which there are, and who is on their lists.
package held

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/license"
)

// reasonHeld is the reason of a license that stands because its revocation is parked or was rejected, as docs/events.md has it.
const reasonHeld = "held"

// Change is one held change, as its events tell of it.
type Change struct {
	Opened   event.HeldOpened
	Revision int                       // of the list, by now
	Lines    map[string]event.HeldUser // who is on it, by user
	Outcome  string                    // empty while it is open

	named map[string]bool // users who were told of at all
}

// Count returns how many licenses the change would give and take.
func (c Change) Count() (grants, revocations int) {
	for _, line := range c.Lines {
		if line.Licensed {
			grants++
		} else {
			revocations++
		}
	}
	return grants, revocations
}

// Whole reports whether all that the change was announced with has been told of.
func (c Change) Whole() bool { return len(c.named) >= c.Opened.Grants+c.Opened.Revocations }

// Fold keeps the held changes of one tenant's product. The zero Fold is ready for use; it is not safe for concurrent use.
type Fold struct{ changes map[string]*Change }

// Apply takes the next event.
func (f *Fold) Apply(e license.Event) (err error) {
	switch {
	case e.Type == event.TypeHeldOpened:
		err = with(e, f.open)
	case e.Type == event.TypeHeldListed:
		err = with(e, f.list)
	case e.Type == event.TypeHeldClosed:
		err = with(e, f.close)
	case e.Policy != nil:
		f.forgetFlips()
	case e.Entitlement != nil && e.Entitlement.Reason != reasonHeld:
		f.decided(e.User)
	}
	if err != nil {
		return fmt.Errorf("event %s: %w", e.ID, err)
	}
	return nil
}

// with hands the data of an event on.
func with[T any](e license.Event, to func(T) error) error {
	ev, err := event.Decode(e.Raw)
	if err != nil {
		return err
	}
	data, err := event.Data[T](ev)
	if err != nil {
		return err
	}
	return to(data)
}

func (f *Fold) open(data event.HeldOpened) error {
	if f.changes == nil {
		f.changes = map[string]*Change{}
	}
	if data.Kind == event.HeldFlip {
		f.forgetFlips()
	}
	f.changes[data.Held] = &Change{
		Opened: data, Revision: data.Revision, Lines: map[string]event.HeldUser{}, named: map[string]bool{},
	}
	return nil
}

func (f *Fold) list(data event.HeldListed) error {
	c, err := f.known(data.Held)
	if err != nil {
		return err
	}
	c.Revision = data.Revision
	for _, line := range data.Users {
		c.named[line.User] = true
		if line.Listed {
			c.Lines[line.User] = line
		} else {
			delete(c.Lines, line.User)
		}
	}
	return nil
}

func (f *Fold) close(data event.HeldClosed) error {
	c, err := f.known(data.Held)
	if err != nil {
		return err
	}
	c.Outcome = data.Outcome
	return nil
}

// forgetFlips drops the flips that were closed: another one is proposed, or in force, by now.
func (f *Fold) forgetFlips() {
	maps.DeleteFunc(f.changes, func(_ string, c *Change) bool { return c.Opened.Kind == event.HeldFlip && c.Outcome != "" })
}

// decided takes a user off what was kept: something about the user has changed since.
func (f *Fold) decided(user string) {
	for _, c := range f.changes {
		if c.Outcome != "" {
			delete(c.Lines, user)
		}
	}
}

// known returns a held change that is open.
func (f *Fold) known(ref string) (*Change, error) {
	c := f.changes[ref]
	if c == nil || c.Outcome != "" {
		return nil, fmt.Errorf("no held change %s is open", ref)
	}
	return c, nil
}

// Open returns the changes that are held, sorted by their ids.
func (f *Fold) Open() []Change {
	return f.all(func(c *Change) bool { return c.Outcome == "" })
}

// Kept returns those that were rejected, or have expired: the licenses of those on their lists are left as they are, until
// something about these users changes, and a flip until there is another.
func (f *Fold) Kept() []Change {
	return f.all(func(c *Change) bool { return c.Outcome == event.HeldRejected || c.Outcome == event.HeldExpired })
}

func (f *Fold) all(wanted func(*Change) bool) (all []Change) {
	for _, c := range f.changes {
		if wanted(c) {
			one := *c
			one.Lines, one.named = maps.Clone(c.Lines), maps.Clone(c.named)
			all = append(all, one)
		}
	}
	slices.SortFunc(all, func(a, b Change) int { return strings.Compare(a.Opened.Held, b.Opened.Held) })
	return all
}
