package license

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-hq/rollcall/pkg/bus"
)

// start is the stream sequence that reading begins at: 0 means the oldest event.
type start struct {
	at   uint64
	base uint64 // the source's sequence before the first one wanted; 0 when that is not known
}

// locate turns what the caller asked for into a stream sequence. What has expired is an error here, so that no reader
// takes the oldest that is left for the beginning.
func (c *Client) locate(ctx context.Context, o Options) (start, error) {
	if o.Since.IsZero() && o.FromSequence == 0 && o.FromStreamSequence == 0 {
		return start{}, nil
	}
	info, err := c.bus.StreamInfo(ctx, bus.Licenses)
	if err != nil {
		return start{}, err
	}
	switch {
	case o.FromSequence > 0:
		return c.locateSequence(ctx, o, info)
	case o.FromStreamSequence > 0:
		return locateStreamSequence(o.FromStreamSequence, info.State)
	}
	return c.locateTime(ctx, o, info)
}

func locateStreamSequence(from uint64, state jetstream.StreamState) (start, error) {
	if from > state.LastSeq+1 {
		return start{}, fmt.Errorf("%w: asked for stream sequence %d, the last is %d", ErrAhead, from, state.LastSeq)
	}
	if from < state.FirstSeq {
		return start{}, expired(fmt.Sprintf("stream sequence %d", from), state)
	}
	return start{at: from}, nil
}

func (c *Client) locateTime(ctx context.Context, o Options, info *jetstream.StreamInfo) (start, error) {
	if timeExpired(o.Since, c.now(), info.Config.MaxAge, info.State) {
		return start{}, expired(o.Since.UTC().Format(time.RFC3339), info.State)
	}
	first, err := c.first(ctx, bus.ReadSpec{Stream: bus.Licenses, Filters: []string{o.filter()}, FromTime: o.Since})
	if first == 0 {
		first = info.State.LastSeq + 1
	}
	return start{at: first}, err
}

// timeExpired reports whether an event as young as since may be gone. Age is the only way out of LICENSES, so nothing
// younger than the maximum is; a minute is left for clocks that differ.
func timeExpired(since, now time.Time, maxAge time.Duration, state jetstream.StreamState) bool {
	if state.FirstSeq <= 1 || (state.Msgs > 0 && !since.Before(state.FirstTime)) {
		return false // nothing has ever gone, or something older is still there
	}
	return maxAge == 0 || since.Before(now.Add(time.Minute-maxAge))
}

func expired(asked string, state jetstream.StreamState) error {
	if state.Msgs == 0 {
		return &ExpiredError{Asked: asked}
	}
	return &ExpiredError{Asked: asked, OldestStreamSequence: state.FirstSeq, OldestTime: state.FirstTime}
}

var errFound = errors.New("found")

// locateSequence reads the source from its oldest event. The sequence and the stream's own are not related by any rule.
func (c *Client) locateSequence(ctx context.Context, o Options, info *jetstream.StreamInfo) (start, error) {
	source := Options{Tenant: o.Tenant, Product: o.Product}
	found := start{at: info.State.LastSeq + 1, base: o.FromSequence - 1}
	last := uint64(0)
	err := c.bus.Read(ctx, bus.ReadSpec{Stream: bus.Licenses, Filters: []string{source.filter()}}, func(m bus.Message) error {
		e, err := c.decode(m)
		if err != nil {
			return nil //nolint:nilerr // counted; one that should have been an event shows as a gap when it is read
		}
		if last == 0 && e.Sequence > o.FromSequence {
			return &ExpiredError{Asked: fmt.Sprintf("sequence %d", o.FromSequence), OldestSequence: e.Sequence, OldestTime: m.Time}
		}
		if last = e.Sequence; last < o.FromSequence {
			return nil
		}
		found.at = m.Sequence
		return errFound
	})
	switch {
	case errors.Is(err, errFound):
		return found, nil
	case err != nil:
		return start{}, err
	case last > 0 && o.FromSequence > last+1:
		return start{}, fmt.Errorf("%w: asked for sequence %d, the last is %d", ErrAhead, o.FromSequence, last)
	case last > 0 || info.State.FirstSeq <= 1 && o.FromSequence == 1:
		return found, nil
	}
	return c.locateInEmptySource(ctx, o, found)
}

// locateInEmptySource tells a source that has no events yet from one whose events have all expired: the entitlements keep
// the latest event of each user for ever.
func (c *Client) locateInEmptySource(ctx context.Context, o Options, found start) (start, error) {
	latest := uint64(0)
	err := c.latest(ctx, Options{Tenant: o.Tenant, Product: o.Product}, false, 0, func(m bus.Message) error {
		if e, err := c.decode(m); err == nil {
			latest = max(latest, e.Sequence)
		}
		return nil
	})
	switch {
	case err != nil:
		return start{}, err
	case o.FromSequence <= latest:
		return start{}, &ExpiredError{Asked: fmt.Sprintf("sequence %d", o.FromSequence)}
	case latest == 0 && o.FromSequence > 1:
		return start{}, fmt.Errorf("%w: asked for sequence %d of a source without events", ErrAhead, o.FromSequence)
	}
	return found, nil
}

// first returns the stream sequence of the first message of a spec, 0 where there is none.
func (c *Client) first(ctx context.Context, spec bus.ReadSpec) (uint64, error) {
	var at uint64
	err := c.bus.Read(ctx, spec, func(m bus.Message) error {
		at = m.Sequence
		return errFound
	})
	if errors.Is(err, errFound) {
		err = nil
	}
	return at, err
}
