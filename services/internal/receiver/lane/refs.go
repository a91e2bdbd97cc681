package lane

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/state"
)

// maxStale is how many things that were only named a round reads. Where more have changed, everything is read again beside
// the rounds, which then takes less.
const maxStale = 1000

// name notes what a page says has changed without showing it.
func (p *pass) name(refs ...receiver.Ref) {
	for _, ref := range refs {
		if _, again := p.named[ref]; !again {
			p.named[ref] = struct{}{}
			p.stale = append(p.stale, ref)
		}
	}
}

// readAgain asks for a read of everything beside the rounds.
func (l *Lane) readAgain(ctx context.Context, p *pass) error {
	err := l.Command(ctx, state.Command{ID: p.cause, ForNews: true})
	if err != nil {
		return errors.Join(errNotStored, err)
	}
	return nil
}

// readNamed reads what journals, hints and echoes only name, and looks provisioning addresses up. The cursors of the
// journals go on behind it. What cannot be read is tried again by itself: it holds up nothing else.
func (l *Lane) readNamed(ctx context.Context, p *pass, taken taken) error {
	if !l.deps.Traits.Journals {
		return nil
	}
	began := l.deps.Clock.Now()
	p.stale = l.bundled(p.stale)
	fromJournals := len(p.stale)
	missed := l.missed(p, taken)
	for _, id := range slices.Sorted(maps.Keys(missed)) {
		p.nameObject(missed[id], id)
	}
	fromPushes := len(p.stale)
	p.name(l.echoes.due(began)...)
	if taken.crowded || len(p.stale) > maxStale {
		if err := l.readAgain(ctx, p); err != nil {
			return err
		}
		l.want("", p.cause)
		p.stale = nil
	}
	failed := 0
	for i, ref := range p.stale {
		err := l.resolve(ctx, p, ref)
		if ctx.Err() != nil || errors.Is(err, errNotStored) {
			return err
		}
		waits := laterForJournals
		if err != nil {
			waits = laterForFailures
			failed++
		} else if i >= fromJournals && i < fromPushes {
			waits = laterForPushes
		}
		l.echoes.settle(ref, began, waits, i >= fromPushes, l.echoed(ref))
	}
	if failed > 0 {
		l.deps.Metrics.failed(round)
		l.deps.Logger.WarnContext(ctx, "some of what was named could not be read and is tried again", "failed", failed, "named", len(p.stale))
	}
	for _, move := range p.moved {
		move()
	}
	p.moved = nil
	return l.lookAgain(ctx, p, began)
}

// missed returns the objects that hints named, now or some time ago, and that no page of the round has shown.
func (l *Lane) missed(p *pass, taken taken) map[string]string {
	missed := l.unseen.due(l.deps.Clock.Now())
	for id, resource := range taken.hinted {
		missed[id] = resource
	}
	for id := range p.shown {
		delete(missed, id)
	}
	return missed
}

func (p *pass) nameObject(resource, id string) {
	switch receiver.Resource(resource) {
	case receiver.UserResource:
		p.name(receiver.Ref{Kind: receiver.RefUser, User: id})
	case receiver.GroupResource:
		p.name(receiver.Ref{Kind: receiver.RefGroup, Group: id})
	}
}

// resolve reads what a ref names and publishes it.
func (l *Lane) resolve(ctx context.Context, p *pass, ref receiver.Ref) error {
	switch ref.Kind {
	case receiver.RefUser:
		_, err := l.readUser(ctx, p, ref.User)
		return err
	case receiver.RefGroup:
		return l.readGroup(ctx, p, ref.Group)
	case receiver.RefMembers:
		l.want(ref.Group, p.cause)
	case receiver.RefMembership:
		if group, watched := l.watchedAs(ref.Group); watched {
			return l.readMembership(ctx, p, group, ref.Member)
		}
	}
	return nil
}

// readUser reads a user by id or address. One that is unknown by an address is nobody.
func (l *Lane) readUser(ctx context.Context, p *pass, key string) (directory.User, error) {
	u, stamp, err := ask(ctx, l, p, func(ctx context.Context) (directory.User, error) { return l.deps.Directory.User(ctx, key) })
	if err != nil || u.ID == "" {
		return u, err
	}
	back, err := l.returned(ctx, p, u)
	if err != nil {
		return u, err
	}
	return u, l.report(ctx, p, stamp, append([]directory.Observation{{User: &u}}, back...))
}

// readGroup reads a group by id or address. A watched group that no longer is what the key names is read by its id: it
// was renamed, or it is gone.
func (l *Lane) readGroup(ctx context.Context, p *pass, key string) error {
	watched, was := l.watchedAs(key)
	g, stamp, err := ask(ctx, l, p, func(ctx context.Context) (directory.Group, error) { return l.deps.Directory.Group(ctx, key) })
	if err != nil {
		return err
	}
	if g.ID != "" {
		if err := l.report(ctx, p, stamp, []directory.Observation{{Group: &g}}); err != nil {
			return err
		}
	}
	if was && g.ID != watched && key != watched {
		return l.readGroup(ctx, p, watched)
	}
	return nil
}

// readMembership reads one membership of a watched group. Absence is only told of ids: whose address the member's was is
// asked first. Where single reads do not tell, the group is listed.
func (l *Lane) readMembership(ctx context.Context, p *pass, group, key string) error {
	m, stamp, err := l.member(ctx, p, directory.Membership{GroupID: group, ID: key})
	if err == nil && !m.Present && m.ID == "" {
		var id string
		if id, err = l.whose(ctx, p, key); err == nil && id != "" {
			m, stamp, err = l.member(ctx, p, directory.Membership{GroupID: group, ID: id})
		}
	}
	switch {
	case ctx.Err() != nil || errors.Is(err, errNotStored):
		return err
	case errors.Is(err, receiver.ErrNoGroup):
		l.beginVanish(group, p.cause)
		return nil
	case errors.Is(err, errors.ErrUnsupported), err == nil && m.ID == "":
		l.want(group, p.cause)
		return nil
	case err != nil: // somebody of another directory, perhaps, of whom nothing else may be asked
		l.want(group, p.cause)
		return err
	}
	p.shown[group] = struct{}{}
	m.GroupID = group
	if r := l.rolls[group]; r != nil && m.Present && r.knows(m) {
		r.put(m) // the pass that is under way may have read its place already
		return nil
	} // absence is told even of one whom no list has shown: the ledger may know more, where a proof has failed
	if m.Kind == "" {
		m.Kind = l.kindOf(group, m.ID)
	}
	return l.report(ctx, p, stamp, []directory.Observation{{Membership: &m}})
}

// whose returns the id of the watched group or the user that has an address, or "".
func (l *Lane) whose(ctx context.Context, p *pass, address string) (string, error) {
	if group, watched := l.watchedAs(address); watched {
		return group, nil
	}
	u, err := l.readUser(ctx, p, address)
	return u.ID, err
}

// kindOf returns what a member was when it was last told of.
func (l *Lane) kindOf(group, id string) directory.MemberKind {
	if r := l.rolls[group]; r != nil {
		if slot, ok := r.slots[id]; ok {
			return kinds[r.members[slot].kind]
		}
	}
	if _, watched := l.feeds.Watched[id]; watched {
		return directory.GroupMember
	}
	return directory.UserMember
}

// want has the list of a watched group read from its beginning as soon as it can be; of all of them, without a key.
func (l *Lane) want(key, cause string) {
	for id, w := range l.feeds.Watched {
		if r := l.rolls[id]; r != nil && (key == "" || w.IsNamed(id, key)) {
			r.wanted, r.cause = true, cause
		}
	}
}

// watchedAs finds a watched group by its id or one of its addresses.
func (l *Lane) watchedAs(key string) (string, bool) {
	for id, w := range l.feeds.Watched {
		if w.IsNamed(id, key) {
			return id, true
		}
	}
	return "", false
}

// compareRefs gives refs an order, so that a round is the same each time.
func compareRefs(a, b receiver.Ref) int {
	return slices.Compare([]string{string(a.Kind), a.Group, a.User, a.Member}, []string{string(b.Kind), b.Group, b.User, b.Member})
}
