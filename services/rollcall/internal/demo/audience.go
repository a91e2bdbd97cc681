package demo

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/license"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/held"
)

// audience is a consumer as anyone could write one: it follows LICENSES from the beginning and folds what it hears.
type audience struct {
	mu      sync.Mutex
	heard   []heard
	state   map[string]event.Entitlement // by user
	held    held.Fold
	changed chan struct{} // closed and replaced with each event
}

// heard is one event, and when it arrived.
type heard struct {
	eventType string
	at        time.Time
	license   event.Entitlement   // of a license event
	policy    event.PolicyChanged // of a policy event
}

func newAudience() *audience {
	return &audience{state: map[string]event.Entitlement{}, changed: make(chan struct{})}
}

// hear takes the next event.
func (a *audience) hear(_ context.Context, e license.Event) error {
	h := heard{eventType: e.Type, at: time.Now()}
	if e.Entitlement != nil {
		h.license = *e.Entitlement
	}
	if e.Policy != nil {
		h.policy = *e.Policy
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if h.license.User != "" {
		a.state[h.license.User] = h.license
	}
	if err := a.held.Apply(e); err != nil {
		return err
	}
	a.heard = append(a.heard, h)
	close(a.changed)
	a.changed = make(chan struct{})
	return nil
}

// open are the changes that are held now, and a channel that is closed when there is news.
func (a *audience) open() ([]held.Change, <-chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.held.Open(), a.changed
}

// parked returns the change of a kind that is held, once its list is as it should be.
func (a *audience) parked(ctx context.Context, kind string, whole func(held.Change) bool) (held.Change, error) {
	for {
		all, changed := a.open()
		for _, c := range all {
			if c.Opened.Kind == kind && whole(c) {
				return c, nil
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return held.Change{}, fmt.Errorf("wait for the list of a held change: %w", ctx.Err())
		}
	}
}

// mark is the place behind all that was heard so far.
func (a *audience) mark() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.heard)
}

// since returns what was heard behind a mark.
func (a *audience) since(mark int) []heard {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.heard[mark:len(a.heard):len(a.heard)]
}

// await returns the first event behind the mark that matches, when it comes.
func (a *audience) await(ctx context.Context, mark int, match func(heard) bool) (heard, error) {
	for {
		a.mu.Lock()
		news, changed := a.heard[mark:], a.changed
		a.mu.Unlock()
		for _, h := range news {
			if match(h) {
				return h, nil
			}
		}
		mark += len(news)
		select {
		case <-changed:
		case <-ctx.Done():
			return heard{}, fmt.Errorf("wait for an event: %w", ctx.Err())
		}
	}
}

// agrees waits until the fold says of every user what want says, and returns when the last event before that arrived.
func (a *audience) agrees(ctx context.Context, want map[string]bool) (time.Time, error) {
	return a.agreesWhile(ctx, want, func() error { return nil })
}

// agreesWhile does something after each look that found a difference.
func (a *audience) agreesWhile(ctx context.Context, want map[string]bool, meanwhile func() error) (time.Time, error) {
	for {
		a.mu.Lock()
		different, changed := a.differs(want), a.changed
		var last time.Time
		if len(a.heard) > 0 {
			last = a.heard[len(a.heard)-1].at
		}
		a.mu.Unlock()
		if different == 0 {
			return last, nil
		}
		if err := meanwhile(); err != nil {
			return last, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return last, fmt.Errorf("wait for %d users whose license is not yet as the directory has it: %w", different, ctx.Err())
		}
		select { // a bulk comes as thousands of events: look again once for many of them
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// differs counts the users of whom the fold says something else. The caller holds the lock.
func (a *audience) differs(want map[string]bool) (n int) {
	for user, licensed := range want {
		if a.state[user].Licensed != licensed {
			n++
		}
	}
	return n
}

// without counts those of the users who have no license.
func (a *audience) without(users []string) (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, user := range users {
		if !a.state[user].Licensed {
			n++
		}
	}
	return n
}

// last is when the last event behind a mark was heard.
func (a *audience) last(mark int) (at time.Time) {
	for _, h := range a.since(mark) {
		at = h.at
	}
	return at
}

// licensed counts the users with a license.
func (a *audience) licensed() (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, e := range a.state {
		if e.Licensed {
			n++
		}
	}
	return n
}

// count counts events of a type.
func count(all []heard, eventType string) (n int) {
	for _, h := range all {
		if h.eventType == eventType {
			n++
		}
	}
	return n
}
