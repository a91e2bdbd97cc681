package lane

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/state"
)

// work is a kind of work. The values are metric labels. Each kind waits by itself after a failure.
type work string

const (
	idle     work = ""
	load     work = "load"     // read what is stored
	look     work = "look-up"  // find the groups of a product that is new to the tenant
	round    work = "round"    // read what has changed
	vanish   work = "vanish"   // prove that a watched group is gone
	proof    work = "proof"    // read candidates for removal
	baseline work = "baseline" // read the members of a group that is newly watched
	full     work = "full"     // read everything
)

// next returns what to do and when. The first kind that is due wins; they are in the order of their haste. Only a round
// lets all others go before the next one: where something changes all the time, a round is always due.
func (l *Lane) next(now time.Time) (work, time.Time) {
	if !l.loaded {
		return load, l.gates[load].after(now)
	}
	best, bestAt := idle, time.Time{}
	again := time.Time{} // since when a second round in a row is due
	for _, candidate := range []struct {
		kind work
		due  func(time.Time) time.Time
	}{
		{round, l.roundDue}, {vanish, l.vanishDue}, {look, l.lookDue}, {proof, l.proofDue}, {baseline, l.baselineDue}, {full, l.fullDue},
	} {
		at := candidate.due(now)
		if at.IsZero() {
			continue
		}
		at = l.gates[candidate.kind].after(at)
		switch {
		case at.After(now):
		case candidate.kind == round && l.rounded:
			again = at
			continue
		default:
			return candidate.kind, at
		}
		if best == idle || at.Before(bestAt) {
			best, bestAt = candidate.kind, at
		}
	}
	if !again.IsZero() {
		return round, again
	}
	return best, bestAt
}

// do carries one piece of work out and settles how it went.
func (l *Lane) do(ctx context.Context, kind work) {
	err := l.guarded(ctx, kind)
	l.rounded = kind == round
	if ctx.Err() != nil {
		return
	}
	if err == nil {
		l.gates[kind].open()
		return
	}
	wait := l.gates[kind].close(l.deps.Clock.Now())
	l.deps.Metrics.failed(kind)
	if errors.Is(err, state.ErrSuperseded) {
		l.loaded = false
	}
	l.deps.Logger.WarnContext(ctx, "reading the directory failed", "work", kind, "again_in", wait, "error", err)
}

// guarded keeps a provider's panic over one tenant's data from ending the others.
func (l *Lane) guarded(ctx context.Context, kind work) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in %s: %v\n%s", kind, p, debug.Stack())
		}
	}()
	switch kind {
	case load:
		return l.load(ctx)
	case look:
		return l.lookUp(ctx)
	case round:
		return l.round(ctx)
	case vanish:
		return l.checkVanishing(ctx)
	case proof:
		return l.prove(ctx)
	case baseline:
		return l.readBaseline(ctx)
	case full:
		return l.readFull(ctx)
	}
	return fmt.Errorf("no such work: %s", kind)
}

// between does what has more haste than a long read, between two of its requests: at most one round.
func (l *Lane) between(ctx context.Context) {
	l.rounded = false
	for ctx.Err() == nil {
		now := l.deps.Clock.Now()
		kind, at := l.next(now)
		if at.After(now) || (kind != round && kind != vanish) || (kind == round && l.rounded) {
			return
		}
		l.do(ctx, kind)
	}
}

// connected reports whether the first complete read is done: without it there is nothing that could have changed.
func (l *Lane) connected() bool { return !l.feeds.FullAt.IsZero() }

// complete reports whether a round can read all feeds.
func (l *Lane) complete() bool { return l.connected() && len(l.expired) == 0 }

func (l *Lane) roundDue(now time.Time) time.Time {
	if !l.connected() {
		return time.Time{}
	}
	b := &l.inbox
	b.mu.Lock()
	wanted := b.round || (b.mark != nil && !b.begun) || (l.complete() && slices.ContainsFunc(b.commands, plainRead))
	b.mu.Unlock()
	if wanted {
		return now
	}
	return earliest(l.pollAt, l.unseen.next())
}

func (l *Lane) proofDue(now time.Time) time.Time {
	if _, ok := l.command(candidates); ok && l.connected() {
		return now
	}
	return time.Time{}
}

func (l *Lane) fullDue(now time.Time) time.Time {
	if _, ok := l.command(refresh); ok || !l.complete() {
		return now
	}
	if l.cfg.Full <= 0 {
		return time.Time{}
	}
	return l.feeds.FullAt.Add(l.cfg.Full)
}

func refresh(c state.Command) bool    { return c.Read == nil }
func candidates(c state.Command) bool { return c.Read != nil && !plainRead(c) }

// command returns the first waiting command of a kind.
func (l *Lane) command(kind func(state.Command) bool) (state.Command, bool) {
	l.inbox.mu.Lock()
	defer l.inbox.mu.Unlock()
	if i := slices.IndexFunc(l.inbox.commands, kind); i >= 0 {
		return l.inbox.commands[i], true
	}
	return state.Command{}, false
}

// earliest returns the first of the times that are not zero.
func earliest(times ...time.Time) time.Time {
	var first time.Time
	for _, t := range times {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}

// gate keeps a kind of work from being tried again too soon: after 0.5 s, growing to a minute, with jitter.
type gate struct {
	until   time.Time
	backoff *backoff.ExponentialBackOff
}

func newGates() map[work]*gate {
	gates := map[work]*gate{}
	for _, kind := range []work{load, look, round, vanish, proof, baseline, full} {
		gates[kind] = &gate{backoff: backoff.NewExponentialBackOff()}
	}
	return gates
}

func (g *gate) after(t time.Time) time.Time {
	if g.until.After(t) {
		return g.until
	}
	return t
}

func (g *gate) open() {
	g.until = time.Time{}
	g.backoff.Reset()
}

func (g *gate) close(now time.Time) time.Duration {
	wait := g.backoff.NextBackOff()
	g.until = now.Add(wait)
	return wait
}

// load reads what is stored. Feeds of another connection mean nothing.
func (l *Lane) load(ctx context.Context) error {
	feeds, revision, err := l.deps.Store.LoadFeeds(ctx, l.id)
	if err != nil {
		return err
	}
	mark, err := l.deps.Store.LoadMark(ctx, l.id)
	if err != nil {
		return err
	}
	commands, err := l.deps.Store.Commands(ctx, l.id)
	if err != nil {
		return err
	}
	l.saved, l.revision = feeds.Clone(), revision
	if feeds.Connection != l.deps.Connection {
		feeds = state.Feeds{Connection: l.deps.Connection, Addresses: l.addresses}
	}
	if feeds.Watched == nil {
		feeds.Watched = map[string]state.Watch{}
	}
	l.feeds = feeds
	l.setBack()
	l.expired = map[receiver.FeedKind]bool{}
	l.inbox.restore(l.id, mark, commands)
	if l.cfg.Poll > 0 {
		l.pollAt = l.deps.Clock.Now()
	}
	if l.connected() {
		l.deps.Metrics.readAll(l.id, feeds.FullAt)
	}
	l.loaded = true
	return nil
}

// setBack brings times that were stored by a clock far ahead back to what they may be at most.
func (l *Lane) setBack() {
	now := l.deps.Clock.Now()
	if l.feeds.FullAt.After(now) {
		l.feeds.FullAt = now
	}
	latest := now.Add(l.cfg.Vanish)
	for id, w := range l.feeds.Watched {
		if w.Vanish != nil && w.Vanish.Next.After(latest) {
			sooner := *w.Vanish
			sooner.Next = latest
			w.Vanish = &sooner
			l.feeds.Watched[id] = w
		}
	}
}

// restore takes what is stored in beside what has come in since.
func (b *inbox) restore(tenant string, mark *state.Mark, commands []state.Command) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.mark == nil && mark != nil {
		b.mark, b.begun = mark, false
		b.expect(mark.ID)
	}
	for _, c := range commands {
		b.add(tenant, c)
	}
}
