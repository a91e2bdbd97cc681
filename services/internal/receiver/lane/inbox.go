package lane

import (
	"context"
	"slices"

	"github.com/rollcall-hq/rollcall/services/internal/receiver/state"
)

// maxHinted bounds how many hinted objects are remembered to see whether a round shows them, and to read them.
const maxHinted = 1000

// Hint makes the tenant's mark durable and wakes the lane. While a mark waits for its round there is nothing to store:
// that round will begin after this hint as well.
func (l *Lane) Hint(ctx context.Context, m state.Mark) error {
	l.inbox.mu.Lock()
	waiting := l.inbox.mark != nil && !l.inbox.begun
	if waiting {
		l.inbox.expect(m.Resource, m.ID)
	}
	l.inbox.mu.Unlock()
	if waiting {
		return nil
	}
	m, err := l.deps.Store.SetMark(ctx, l.id, m)
	if err != nil {
		return err
	}
	l.inbox.mu.Lock()
	l.inbox.mark, l.inbox.begun = &m, false
	l.inbox.expect(m.Resource, m.ID)
	l.inbox.mu.Unlock()
	l.inbox.signal()
	return nil
}

// expect remembers what a hint was about. The caller holds the lock.
func (b *inbox) expect(resource, id string) {
	if id == "" {
		return
	}
	if len(b.hinted) >= maxHinted {
		b.crowded = true
		return
	}
	if b.hinted == nil {
		b.hinted = map[string]string{}
	}
	b.hinted[id] = resource
}

// Command makes a command durable and wakes the lane.
func (l *Lane) Command(ctx context.Context, c state.Command) error {
	c, err := l.deps.Store.AddCommand(ctx, l.id, c)
	if err != nil {
		return err
	}
	l.inbox.mu.Lock()
	l.inbox.add(l.id, c)
	l.inbox.mu.Unlock()
	l.inbox.signal()
	return nil
}

// add puts a command behind the others, in place of itself where it was given before. The caller holds the lock.
func (b *inbox) add(tenant string, c state.Command) {
	key := c.Key(tenant)
	b.revision = max(b.revision, c.Revision)
	i := slices.IndexFunc(b.commands, func(o state.Command) bool { return o.Key(tenant) == key })
	switch {
	case i < 0:
		b.commands = append(b.commands, c)
	case b.commands[i].Revision < c.Revision:
		b.commands[i] = c
	}
}

// Round asks for a round: pushes may have been missed.
func (l *Lane) Round() {
	l.inbox.mu.Lock()
	l.inbox.round = true
	l.inbox.mu.Unlock()
	l.inbox.signal()
}

// taken is what a round answers.
type taken struct {
	mark     *state.Mark
	hinted   map[string]string // resources, by id
	crowded  bool              // there were more
	commands []state.Command   // to read once more, and nothing in particular
}

// begin takes what is there. What comes after it needs another round. Commands that the round may not answer yet are left.
func (b *inbox) begin(answers func(state.Command) bool) taken {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := taken{mark: b.mark, hinted: b.hinted, crowded: b.crowded}
	b.begun, b.hinted, b.crowded, b.round = true, nil, false, false
	for _, c := range b.commands {
		if plainRead(c) && answers(c) {
			t.commands = append(t.commands, c)
		}
	}
	return t
}

// latest returns the revision of the last command that came.
func (b *inbox) latest() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.revision
}

// latestPlain returns the revision of the last command to read once more that is not answered yet.
func (b *inbox) latestPlain() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	latest := uint64(0)
	for _, c := range b.commands {
		if plainRead(c) {
			latest = max(latest, c.Revision)
		}
	}
	return latest
}

// again puts back what a round that failed had taken.
func (b *inbox) again(t taken) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.begun = false
	b.round = b.round || (t.mark == nil && len(t.commands) == 0)
	b.crowded = b.crowded || t.crowded
	for id, resource := range t.hinted {
		b.expect(resource, id)
	}
}

// rouse makes a mark ask for a round again whose round could not read everything.
func (b *inbox) rouse() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.begun = false
}

// cleared forgets a mark that is no longer stored, unless a newer one has taken its place.
func (b *inbox) cleared(m state.Mark) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.mark != nil && b.mark.Revision == m.Revision {
		b.mark = nil
	}
}

// done forgets a command that is no longer stored, unless it has been given again.
func (b *inbox) done(tenant string, c state.Command) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.commands = slices.DeleteFunc(b.commands, func(o state.Command) bool {
		return o.Key(tenant) == c.Key(tenant) && o.Revision == c.Revision
	})
}

func plainRead(c state.Command) bool {
	return c.Read != nil && len(c.Read.Users)+len(c.Read.Groups)+len(c.Read.Members) == 0
}

// finish forgets a command for good.
func (l *Lane) finish(ctx context.Context, c state.Command) error {
	if err := l.deps.Store.RemoveCommand(ctx, l.id, c); err != nil {
		return err
	}
	l.inbox.done(l.id, c)
	return nil
}
