package torture

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
)

const (
	roundsToQuiet = 2 // of each tenant, begun an interval of polls behind the last change
	lookAgain     = 500 * time.Millisecond
)

// awaitQuiet waits until every directory has been read by rounds that began behind a moment of the parts' clock, and all that
// they brought is dealt with. It returns what is missing where that does not come within patience.
func awaitQuiet(ctx context.Context, b *bus.Bus, all []*company, behind time.Time, from uint64, patience time.Duration) error {
	limit := time.Now().Add(patience)
	for {
		missing, err := unquiet(ctx, b, all, behind, from)
		if err != nil && !errors.Is(err, bus.ErrUnavailable) {
			return err
		}
		if err == nil && missing == "" {
			return nil
		}
		if time.Now().After(limit) {
			return fmt.Errorf("not quiet within %s: %s, %w", patience, missing, err)
		}
		if !pause(ctx, lookAgain) {
			return ctx.Err()
		}
	}
}

// unquiet says what is not done yet; "" for nothing.
func unquiet(ctx context.Context, b *bus.Bus, all []*company, behind time.Time, from uint64) (string, error) {
	rounds := map[string]int{}
	spec := bus.ReadSpec{Stream: bus.LedgerIn, Filters: []string{"directory.*.*.round"}, FromSequence: from + 1}
	err := b.Read(ctx, spec, func(m bus.Message) error {
		if m.Fault != nil {
			return nil
		}
		data, err := event.Data[event.RoundEnded](m.Event)
		if err == nil && data.Began.After(behind.Add(pollInterval)) {
			rounds[event.Tenant(m.Event)]++
		}
		return err
	})
	if err != nil {
		return "", err
	}
	for _, c := range all {
		if rounds[c.id] < roundsToQuiet {
			return fmt.Sprintf("%s has had %d rounds since, want %d", c.id, rounds[c.id], roundsToQuiet), nil
		}
	}
	for _, stream := range []string{bus.Notifications, bus.LedgerIn} {
		if waits, err := waiting(ctx, b, stream); err != nil || waits > 0 {
			return fmt.Sprintf("%d messages of %s wait", waits, stream), err
		}
	}
	return "", nil
}

// waiting is how many messages of a stream are not dealt with.
func waiting(ctx context.Context, b *bus.Bus, name string) (uint64, error) {
	stream, err := b.JetStream().Stream(ctx, name)
	if err != nil {
		return 0, fmt.Errorf("look up stream %s: %w", name, err)
	}
	sum := uint64(0)
	consumers := stream.ListConsumers(ctx)
	for info := range consumers.Info() { // to its end, or who lists them waits for ever
		if info.Config.Durable != "" { // others are views, which acknowledge nothing
			sum += info.NumPending + uint64(max(info.NumAckPending, 0))
		}
	}
	return sum, consumers.Err()
}
