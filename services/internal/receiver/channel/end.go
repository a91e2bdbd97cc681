package channel

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

// End has the provider end all channels of a tenant that is no longer followed, and returns when none can be there any more,
// or ctx ends. What cannot be ended is tried again until it has expired. The records say what is left, so that another
// process can go on.
func (k *Keeper) End(ctx context.Context) {
	waits := backoff.NewExponentialBackOff()
	waits.InitialInterval, waits.MaxInterval = time.Second, time.Hour
	for ctx.Err() == nil {
		left, err := k.endAll(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil && left.IsZero():
			return
		}
		wait := max(left.Sub(k.deps.Clock.Now()), floor)
		if err != nil {
			wait = waits.NextBackOff()
			var throttled receiver.ErrThrottled
			if errors.As(err, &throttled) {
				wait = max(wait, throttled.After)
			}
			k.deps.Errors.Inc()
			k.deps.Logger.WarnContext(ctx, "push channels of a disconnected tenant cannot be ended", "again_in", wait, "error", err)
		}
		k.wait(ctx, wait, map[string]bool{}, true)
	}
}

// endAll ends what can be ended now, and returns when the first of what is left expires; the zero time: nothing is left. An
// error says what failed: all others are ended all the same, unless the provider wants to be left alone.
func (k *Keeper) endAll(ctx context.Context) (time.Time, error) {
	known, err := k.store.load(ctx)
	if err != nil || len(known) == 0 {
		return time.Time{}, err
	}
	failed := k.endUnknown(ctx, known)
	var left time.Time
	for name, r := range known {
		over := r.State == Ended || !r.Expires.After(k.deps.Clock.Now())
		if !over && r.ID != "" && !throttled(failed) { // without the provider's id nobody can end it
			err := k.deps.Channels.DeleteChannel(ctx, r.channel())
			if over = err == nil; over {
				k.deps.Logger.InfoContext(ctx, "push channel ended", "channel", name, "resource", r.Resource)
			} else {
				failed = errors.Join(failed, fmt.Errorf("end the channel of %s: %w", r.Resource, err))
			}
		}
		if !over {
			if left.IsZero() || r.Expires.Before(left) {
				left = r.Expires
			}
			continue
		}
		if err := k.store.remove(ctx, name); err != nil {
			return time.Time{}, errors.Join(failed, err)
		}
	}
	return left, failed
}

func throttled(err error) bool {
	var throttled receiver.ErrThrottled
	return errors.As(err, &throttled)
}

// endUnknown ends the channels to our address that there is no record of, where the provider tells.
func (k *Keeper) endUnknown(ctx context.Context, known map[string]Record) error {
	held, err := k.deps.Channels.ListChannels(ctx)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return nil
	case err != nil:
		return fmt.Errorf("list the channels that the provider holds: %w", err)
	}
	for _, r := range known {
		held = slices.DeleteFunc(held, func(c receiver.Channel) bool { return c.ID == r.ID })
	}
	for _, c := range held {
		if !strings.EqualFold(c.URL, k.cfg.URL) {
			continue
		}
		if err := k.deps.Channels.DeleteChannel(ctx, c); err != nil {
			return fmt.Errorf("end a channel that is not on record: %w", err)
		}
	}
	return nil
}
