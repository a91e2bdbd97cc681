package lane

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/state"
)

// maxPage bounds the observations of one event in bytes, so that the event stays below 256 KiB.
const maxPage = 240 << 10

// errNotStored marks failures of our own side: no other request helps against them.
var errNotStored = errors.New("cannot be stored")

// pass is one piece of work over the provider: what its pages are published with, and what became of it.
type pass struct {
	cause    string // id of the event that asked for it, or ""
	snapshot string // id of the snapshot that its pages are part of, or ""
	patient  bool   // lets more hasty work in between its requests
	// background leaves some of the budget to more hasty work. A patient pass does so too.
	background bool

	told     state.Told      // by the feed that states what is published now; nothing: a read shows it
	began    directory.Stamp // of the first request
	requests int
	pages    int                 // events published
	shown    map[string]struct{} // ids of users and groups that were observed, themselves or their members
	setAside []state.SetAside
	odd      []string // ids of members that could not be understood

	stale []receiver.Ref // what pages named, each once, in order
	named map[receiver.Ref]struct{}
	moved []func() // steps of cursors that wait for what was named to be read
}

func newPass(cause string) *pass {
	return &pass{cause: cause, shown: map[string]struct{}{}, named: map[receiver.Ref]struct{}{}}
}

// pauses is how often in a row one request waits until the provider wants to be asked again. Then it fails: a provider
// may say so of one thing for ever, and that must not hold up the tenant's others.
const pauses = 5

// ask sends one request with a stamp taken just before. Throttling holds up this tenant alone: ask waits as long as the
// provider wants, and asks again with a new stamp.
func ask[T any](ctx context.Context, l *Lane, p *pass, call func(context.Context) (T, error)) (T, directory.Stamp, error) {
	for n := 1; ; n++ {
		if err := l.afford(ctx, p); err != nil {
			var none T
			return none, directory.Stamp{}, err
		}
		stamp := l.deps.Stamps.Next()
		if p.requests++; p.requests == 1 {
			p.began = stamp
		}
		l.deps.Metrics.requested()
		value, err := call(ctx)
		var throttled receiver.ErrThrottled
		if !errors.As(err, &throttled) {
			return value, stamp, err
		}
		l.deps.Metrics.throttled()
		if err := l.pause(ctx, max(throttled.After, time.Second)); err != nil {
			return value, stamp, err
		}
		if n == pauses {
			return value, stamp, fmt.Errorf("asked %d times: %w", n, throttled)
		}
		if p.patient {
			l.between(ctx)
		}
	}
}

func (l *Lane) pause(ctx context.Context, d time.Duration) error {
	timer := l.deps.Clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C():
		return nil
	}
}

// publish makes what one request showed durable, in events of at most maxPage bytes. Nothing seen is nothing said.
func (l *Lane) publish(ctx context.Context, p *pass, stamp directory.Stamp, seen []directory.Observation) error {
	for part := 0; len(seen) > 0; part++ {
		wire, n, err := fill(seen)
		if err != nil {
			return err
		}
		err = l.tell(ctx, "page", event.TypeDirectoryObserved, event.ObservationID(l.id, stamp, part), p.cause,
			event.DirectoryObserved{Stamp: event.StampOf(stamp), Snapshot: p.snapshot, FeedSince: p.told.Since.UTC(), FeedUntil: p.told.Until.UTC(), Observations: wire})
		if err != nil {
			return err
		}
		p.pages++
		p.show(seen[:n])
		l.recall(seen[:n])
		if l.enter(seen[:n]) {
			l.reach(p.cause)
		}
		seen = seen[n:]
	}
	return nil
}

// fill returns as many of the observations as fit into one event.
func fill(seen []directory.Observation) ([]event.Observation, int, error) {
	var wire []event.Observation
	size := 0
	for i, o := range seen {
		one := event.FromObservation(o)
		body, err := json.Marshal(one)
		if err != nil {
			return nil, 0, fmt.Errorf("encode an observation: %w", err)
		}
		if size += len(body) + 1; size > maxPage && i > 0 {
			return wire, i, nil
		}
		wire = append(wire, one)
	}
	return wire, len(seen), nil
}

// show notes what was observed. Nobody asks that of a snapshot, which may hold a million users.
func (p *pass) show(seen []directory.Observation) {
	if p.snapshot != "" {
		return
	}
	for _, o := range seen {
		switch {
		case o.User != nil:
			p.shown[o.User.ID] = struct{}{}
		case o.Group != nil:
			p.shown[o.Group.ID] = struct{}{}
		case o.Membership != nil:
			p.shown[o.Membership.GroupID] = struct{}{}
		}
	}
}

// say publishes a marker. It takes a stamp of its own, only for its id.
func (l *Lane) say(ctx context.Context, what, eventType, cause string, data any) error {
	return l.tell(ctx, what, eventType, event.ObservationID(l.id, l.deps.Stamps.Next(), 0), cause, data)
}

func (l *Lane) tell(ctx context.Context, what, eventType, id, cause string, data any) error {
	ev, err := event.New(eventType, event.Meta{
		ID: id, Source: event.DirectorySource(l.id), Time: l.deps.Clock.Now(), Tenant: l.id, Cause: cause,
	}, data)
	if err != nil {
		return err
	}
	if _, err := l.deps.Publisher.Publish(ctx, event.DirectorySubject(l.id, what), ev); err != nil {
		return fmt.Errorf("publish what was read of %s: %w: %w", l.id, errNotStored, err)
	}
	return nil
}
