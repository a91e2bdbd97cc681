package lane

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

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
	list     work = "list"     // go on with the lists of watched groups
	full     work = "full"     // read everything
)

// haste is the order in which work that is due goes.
var haste = [...]work{round, vanish, look, proof, baseline, list, full}

// next returns what to do and when. The first kind that is due wins. Only rounds and lists let all others go before the
// next one: where something changes all the time, or where there is much to list, they are always due.
func (l *Lane) next(now time.Time) (work, time.Time) {
	if !l.loaded {
		return load, l.gates[load].after(now)
	}
	best, bestAt := idle, time.Time{}
	again, againAt := idle, time.Time{}
	for _, kind := range haste {
		at := l.due(kind, now)
		switch {
		case at.IsZero():
			continue
		case at.After(now):
		case !l.had[kind]:
			return kind, at
		case again == idle:
			again, againAt = kind, at
		}
		if best == idle || at.Before(bestAt) {
			best, bestAt = kind, at
		}
	}
	if again != idle {
		return again, againAt
	}
	return best, bestAt
}

// due says when a kind of work is due; the zero time: there is none.
func (l *Lane) due(kind work, now time.Time) time.Time {
	var at time.Time
	switch kind {
	case round:
		at = l.roundDue(now)
	case vanish:
		at = l.vanishDue(now)
	case look:
		at = l.lookDue(now)
	case proof:
		at = l.proofDue(now)
	case baseline:
		at = l.baselineDue(now)
	case list:
		at = l.listDue(now)
	case full:
		at = l.fullDue(now)
	}
	if at.IsZero() {
		return at
	}
	return l.gates[kind].after(at)
}

// turn notes that a kind of work had its turn.
func (l *Lane) turn(kind work) {
	always := kind == round || kind == list
	if !always || l.had[kind] {
		clear(l.had)
	}
	if always {
		l.had[kind] = true
	}
}

// do carries one piece of work out and settles how it went.
func (l *Lane) do(ctx context.Context, kind work) {
	err := l.guarded(ctx, kind)
	l.turn(kind)
	if ctx.Err() != nil {
		return
	}
	if l.deps.Watch != nil {
		l.deps.Watch.Worked(string(kind), err)
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
	case list:
		return l.list(ctx)
	case full:
		return l.readFull(ctx)
	}
	return fmt.Errorf("no such work: %s", kind)
}

// listsBetween is how many pages of lists go between two requests of a long read: with listShare of the budget, what keeps
// to their pace. A provider that answers too slowly for it keeps the long read going at the cost of the lists.
const listsBetween = 16

// roundEvery is after how many of those pages there may be another round: a hint does not wait for them all.
const roundEvery = 4

// between does what has more haste than a long read, between two of its requests: one round, the pages of lists that are
// due, with more rounds between them, and what a group that is newly watched has to be read for.
func (l *Lane) between(ctx context.Context) {
	rounds, pages := 1, listsBetween
	for ctx.Err() == nil {
		now := l.deps.Clock.Now()
		switch {
		case rounds > 0 && l.isDue(round, now):
			rounds--
			l.do(ctx, round)
		case l.isDue(vanish, now):
			l.do(ctx, vanish)
		case l.isDue(baseline, now) && len(l.unread()) > 0:
			l.do(ctx, baseline)
		case pages > 0 && l.isDue(list, now):
			if pages--; pages%roundEvery == 0 {
				rounds = 1
			}
			l.do(ctx, list)
		default:
			return
		}
	}
}

func (l *Lane) isDue(kind work, now time.Time) bool {
	at := l.due(kind, now)
	return l.loaded && !at.IsZero() && !at.After(now)
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
	wanted := b.round || (b.mark != nil && !b.begun) || slices.ContainsFunc(b.commands, l.answers)
	b.mu.Unlock()
	at := earliest(l.pollAt, l.unseen.next(), l.echoes.next())
	if wanted {
		at = now
	}
	if !at.IsZero() && l.roundAfter.After(at) && l.budget.at(now, true).After(now) {
		return l.roundAfter // where something changes all the time, rounds alone could take all there is
	}
	return at
}

// answers reports whether a round can answer a command to read once more: it reads all feeds, and all lists were read
// since the command came.
func (l *Lane) answers(c state.Command) bool {
	return plainRead(c) && l.complete() && l.listedSince(c.Revision)
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
