package verify

import (
	"context"
	"errors"
	"fmt"

	"github.com/rollcall-hq/rollcall/pkg/license"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/held"
)

// fold is what a consumer that has read the whole stream knows.
type fold struct {
	last     map[string]Decision // by user
	reason   map[string]string
	group    string // provider's id of the group in force, "" for all users
	held     held.Fold
	sequence uint64 // of the last event
	events   int
	faults   []string
}

// replay reads the stream from its beginning. Gaps and repeats are what it is looking for, so they are no errors.
func replay(ctx context.Context, cfg Config, stream Stream) (*fold, error) {
	f := &fold{last: map[string]Decision{}, reason: map[string]string{}}
	before := stream.Stats()
	err := stream.Replay(ctx, license.Options{Tenant: cfg.Tenant, Product: cfg.Product}, f.apply)
	after := stream.Stats()
	if n := after.Repeats - before.Repeats; n > 0 {
		f.faults = append(f.faults, fmt.Sprintf("%d events are told twice", n))
	}
	if n := after.Malformed - before.Malformed; n > 0 {
		f.faults = append(f.faults, fmt.Sprintf("%d messages are no license events", n))
	}
	if errors.Is(err, license.ErrGap) {
		f.faults = append(f.faults, err.Error())
		err = nil
	}
	if err != nil {
		return nil, fmt.Errorf("replay LICENSES: %w", err)
	}
	return f, nil
}

// apply takes the next event of the stream. Types that it does not know count for the sequence and nothing else.
func (f *fold) apply(_ context.Context, e license.Event) error {
	f.events++
	if e.Sequence != f.sequence+1 {
		f.faults = append(f.faults, fmt.Sprintf("sequence %d follows %d", e.Sequence, f.sequence))
	}
	f.sequence = e.Sequence
	if e.Entitlement != nil {
		f.last[e.User], f.reason[e.User] = Decision{Licensed: e.Entitlement.Licensed, Sequence: e.Sequence}, e.Entitlement.Reason
	}
	if e.Policy != nil {
		f.group = e.Policy.Group
	}
	if err := f.held.Apply(e); err != nil {
		f.faults = append(f.faults, err.Error())
	}
	return nil
}

var _ Stream = (*license.Client)(nil)
