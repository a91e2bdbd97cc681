package channel

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

const (
	// overlap is how long a channel counts beside the one that follows it: what it pushed last may still be on its way.
	overlap = 2 * time.Minute
	// endAgain is the wait before a channel that could not be ended is tried again.
	endAgain = 10 * time.Minute
)

// rotate keeps the channels of a provider that neither renews nor lists them, so that our records are the truth: one is
// stored before the provider is asked, and stays until its channel cannot exist any more. At half of a channel's life the
// next one is made, and then it is ended. It returns when to come again.
func (k *Keeper) rotate(ctx context.Context, known map[string]Record, now map[string]bool) (time.Time, error) {
	if err := k.settle(ctx, known); err != nil {
		return time.Time{}, err
	}
	next := k.deps.Clock.Now().Add(k.cfg.Check)
	var failed error
	for _, resource := range k.deps.Channels.Resources() {
		due, err := k.follow(ctx, known, resource, now)
		var throttled receiver.ErrThrottled
		switch {
		case ctx.Err() != nil:
			return time.Time{}, ctx.Err()
		case errors.As(err, &throttled):
			return time.Time{}, err
		case err != nil:
			failed = errors.Join(failed, err) // the other resources have channels all the same
		case due.Before(next):
			next = due
		}
	}
	due, err := k.retire(ctx, known)
	if failed = errors.Join(failed, err); failed != nil {
		return time.Time{}, failed
	}
	k.tellGap()
	if due.Before(next) {
		next = due
	}
	return next, nil
}

// settle forgets what has expired, and retires what was asked for and never answered: it may be there or not.
func (k *Keeper) settle(ctx context.Context, known map[string]Record) error {
	now := k.deps.Clock.Now()
	for name, r := range known {
		switch {
		case !r.Expires.After(now):
			if err := k.store.remove(ctx, name); err != nil {
				return err
			}
			delete(known, name)
			delete(k.tries, name)
			k.lost = k.lost || r.State == Live // nothing has followed it: a successor would have retired it
		case r.State == Pending:
			if err := k.move(ctx, known, r, Retired); err != nil {
				return err
			}
		}
	}
	return nil
}

// follow makes the next channel of a resource when there is none that is good or its time has come, and returns when that
// is.
func (k *Keeper) follow(ctx context.Context, known map[string]Record, resource string, now map[string]bool) (time.Time, error) {
	r, ok := k.best(known, resource)
	switch {
	case !ok:
	case !k.deps.Keys.Has(r.Key): // the key was lost, and what the channel pushes is refused as forged
		k.lost = true
	case r.due().After(k.deps.Clock.Now()) && !now[r.Name] && !k.anew[resource]:
		return r.due(), nil
	}
	made, err := k.createKept(ctx, known, resource)
	return made.due(), err
}

// createKept asks for a channel whose record is stored first. Its first push may come before this returns.
func (k *Keeper) createKept(ctx context.Context, known map[string]Record, resource string) (Record, error) {
	r, proof, err := k.draft(resource)
	if err != nil {
		return Record{}, err
	}
	r.State = Pending
	if err := k.store.put(ctx, r); err != nil {
		return Record{}, err
	}
	made, err := k.ask(ctx, r, proof)
	var throttled receiver.ErrThrottled
	switch {
	case errors.Is(err, receiver.ErrRefused), errors.As(err, &throttled):
		return Record{}, errors.Join(err, k.store.remove(ctx, r.Name))
	case err != nil:
		return Record{}, errors.Join(err, k.move(ctx, known, r, Retired))
	}
	delete(k.anew, resource)
	asked := r.Expires
	r = r.granted(made, k.deps.Clock.Now())
	if !r.Expires.After(r.Renewed) {
		r.Expires = asked // the provider has not said, or nonsense
	}
	k.deps.Logger.InfoContext(ctx, "push channel created", "channel", r.Name, "resource", resource, "expires", r.Expires)
	return r, k.move(ctx, known, r, Live)
}

// retire ends the channels that another has followed, and returns when there is more to do.
func (k *Keeper) retire(ctx context.Context, known map[string]Record) (time.Time, error) {
	next := k.deps.Clock.Now().Add(k.cfg.Check)
	for _, r := range known {
		var at time.Time
		var err error
		switch {
		case r.State == Live:
			at, err = k.followed(ctx, known, r)
		case r.State == Retired && r.ID != "": // without the provider's id nobody can end it
			at, err = k.end(ctx, known, r)
		}
		if err != nil {
			return next, err
		}
		if !at.IsZero() && at.Before(next) {
			next = at
		}
	}
	return next, nil
}

// followed retires and ends a live channel that another has followed for long enough, and returns when to look at it again,
// if at all.
func (k *Keeper) followed(ctx context.Context, known map[string]Record, r Record) (time.Time, error) {
	best, ok := k.best(known, r.Resource)
	if !ok || best.Name == r.Name {
		return time.Time{}, nil
	}
	if at := best.Renewed.Add(overlap); at.After(k.deps.Clock.Now()) {
		return at, nil
	}
	if err := k.move(ctx, known, r, Retired); err != nil {
		return time.Time{}, err
	}
	return k.end(ctx, known, known[r.Name])
}

// end has the provider end a retired channel, and returns when to try again, if at all. That it cannot be ended is no
// failure; an error means that our record of it cannot be kept.
func (k *Keeper) end(ctx context.Context, known map[string]Record, r Record) (time.Time, error) {
	now := k.deps.Clock.Now()
	if again := k.tries[r.Name]; again.After(now) {
		return again, nil
	}
	err := k.deps.Channels.DeleteChannel(ctx, r.channel())
	switch {
	case ctx.Err() != nil:
		return time.Time{}, ctx.Err()
	case err != nil:
		k.tries[r.Name] = now.Add(endAgain)
		k.deps.Errors.Inc()
		k.deps.Logger.WarnContext(ctx, "a push channel that is not needed cannot be ended",
			"channel", r.Name, "resource", r.Resource, "expires", r.Expires, "again_in", endAgain, "error", err)
		return k.tries[r.Name], nil
	}
	delete(k.tries, r.Name)
	k.deps.Logger.InfoContext(ctx, "push channel ended", "channel", r.Name, "resource", r.Resource)
	return time.Time{}, k.move(ctx, known, r, Ended)
}

// move stores a record in another state. What cannot be stored now is stored by the next load: it must not be forgotten
// what the provider has answered.
func (k *Keeper) move(ctx context.Context, known map[string]Record, r Record, to State) error {
	r.State = to
	known[r.Name] = r
	if err := k.store.put(ctx, r); err != nil {
		k.unkept[r.Name] = r
		return err
	}
	return nil
}

// load reads the tenant's records, and stores first what could not be stored before.
func (k *Keeper) load(ctx context.Context) (map[string]Record, error) {
	for name, r := range k.unkept {
		if err := k.store.put(ctx, r); err != nil {
			return nil, fmt.Errorf("store what was not: %w", err)
		}
		delete(k.unkept, name)
	}
	return k.store.load(ctx)
}
