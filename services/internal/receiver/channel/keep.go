package channel

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/secret"
)

// keep brings what the provider holds to what it should hold, renews what is due or in now, and returns when to come again.
func (k *Keeper) keep(ctx context.Context, now map[string]bool) (time.Time, error) {
	known, err := k.load(ctx)
	if err != nil {
		return time.Time{}, err
	}
	held, err := k.deps.Channels.ListChannels(ctx)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return k.rotate(ctx, known, now)
	case err != nil:
		return time.Time{}, fmt.Errorf("list the channels that the provider holds: %w", err)
	}
	if err := k.match(ctx, known, held); err != nil {
		return time.Time{}, err
	}
	next, err := k.all(ctx, known, now)
	if errors.Is(err, receiver.ErrQuota) { // what nobody needs may be what there is too much of
		ended, pruned := k.prune(ctx, known, held)
		if held = left(held, ended); pruned != nil || len(ended) == 0 {
			return time.Time{}, errors.Join(err, pruned)
		}
		next, err = k.all(ctx, known, now)
	}
	if err != nil {
		return time.Time{}, err
	}
	if _, err := k.prune(ctx, known, held); err != nil {
		return time.Time{}, err
	}
	k.tellGap()
	return next, nil
}

// all keeps the channel of each resource, and returns when to renew the first. One over the quota leaves the others theirs.
func (k *Keeper) all(ctx context.Context, known map[string]Record, now map[string]bool) (time.Time, error) {
	next := k.deps.Clock.Now().Add(k.cfg.Check)
	var over error
	for _, resource := range k.deps.Channels.Resources() {
		due, err := k.one(ctx, known, resource, now)
		switch {
		case errors.Is(err, receiver.ErrQuota):
			over = errors.Join(over, err)
		case err != nil:
			return time.Time{}, errors.Join(err, over)
		case due.Before(next):
			next = due
		}
	}
	return next, over
}

// left are the channels without those that were ended.
func left(held []receiver.Channel, ended map[string]bool) []receiver.Channel {
	return slices.DeleteFunc(slices.Clone(held), func(c receiver.Channel) bool { return ended[c.ID] })
}

// tellGap reports once that pushes may have been lost, when there are channels again.
func (k *Keeper) tellGap() {
	if k.lost {
		k.lost = false
		k.deps.Gap()
	}
}

// match forgets the records of channels that the provider does not hold any more, and takes over the expiry of the others.
func (k *Keeper) match(ctx context.Context, known map[string]Record, held []receiver.Channel) error {
	for name, r := range known {
		i := slices.IndexFunc(held, func(c receiver.Channel) bool { return c.ID == r.ID })
		switch {
		case i < 0:
			k.deps.Logger.WarnContext(ctx, "the provider has dropped a push channel", "channel", name, "resource", r.Resource)
			if err := k.store.remove(ctx, name); err != nil {
				return err
			}
			delete(known, name)
			k.lost = true
		case !held[i].Expires.Equal(r.Expires):
			r.Expires = held[i].Expires
			known[name] = r
		}
	}
	return nil
}

// one keeps the channel of one resource, and returns when to renew it.
func (k *Keeper) one(ctx context.Context, known map[string]Record, resource string, now map[string]bool) (time.Time, error) {
	r, ok := k.best(known, resource)
	if !ok {
		return k.replace(ctx, known, resource)
	}
	if !k.deps.Keys.Has(r.Key) { // the key was lost, and what the channel pushes is refused as forged
		k.lost = true
		return k.replace(ctx, known, resource)
	}
	if k.anew[resource] {
		return k.replace(ctx, known, resource)
	}
	if at := k.deps.Clock.Now(); r.due().After(at) && !now[r.Name] {
		return r.due(), nil
	}
	if r.Key != k.deps.Keys.Current() { // a renewal would keep the old secret
		return k.replace(ctx, known, resource)
	}
	renewed, err := k.deps.Channels.RenewChannel(ctx, r.channel(), k.expiry())
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return k.replace(ctx, known, resource)
	case errors.Is(err, receiver.ErrChannelGone):
		if err := k.store.remove(ctx, r.Name); err != nil {
			return time.Time{}, err
		}
		delete(known, r.Name)
		k.lost = true
		return k.replace(ctx, known, resource)
	case err != nil:
		return time.Time{}, fmt.Errorf("renew the channel of %s: %w", resource, err)
	}
	r = r.granted(renewed, k.deps.Clock.Now())
	known[r.Name] = r
	return r.due(), k.store.put(ctx, r)
}

// replace makes a new channel for a resource. Another one, where there is, is ended by prune.
func (k *Keeper) replace(ctx context.Context, known map[string]Record, resource string) (time.Time, error) {
	made, err := k.create(ctx, resource)
	if err != nil {
		return time.Time{}, err
	}
	known[made.Name] = made
	return made.due(), nil
}

// best is the channel of a resource to keep: one with the current key and the longest life.
func (k *Keeper) best(known map[string]Record, resource string) (Record, bool) {
	var best Record
	for _, r := range known {
		if r.State != Live || r.Resource != resource || r.URL != k.cfg.URL {
			continue
		}
		current, was := r.Key == k.deps.Keys.Current(), best.Key == k.deps.Keys.Current()
		longer := r.Expires.After(best.Expires) || r.Expires.Equal(best.Expires) && r.Created.After(best.Created)
		if best.Name == "" || (current && !was) || (current == was && longer) {
			best = r
		}
	}
	return best, best.Name != ""
}

// create asks for a channel. Its first push may come before this returns: intake needs nothing that is stored here.
func (k *Keeper) create(ctx context.Context, resource string) (Record, error) {
	r, proof, err := k.draft(resource)
	if err != nil {
		return Record{}, err
	}
	made, err := k.ask(ctx, r, proof)
	if err != nil {
		return Record{}, err
	}
	r = r.granted(made, r.Created)
	delete(k.anew, resource)
	k.deps.Logger.InfoContext(ctx, "push channel created", "channel", r.Name, "resource", resource, "expires", r.Expires)
	return r, k.store.put(ctx, r)
}

// draft is the record of a channel that is to be asked for, with its secret.
func (k *Keeper) draft(resource string) (r Record, proof string, err error) {
	r = Record{
		Name: rand.Text(), Resource: resource, URL: k.cfg.URL, Key: k.deps.Keys.Current(),
		Created: k.deps.Clock.Now(), Expires: k.expiry(),
	}
	proof, err = k.deps.Keys.Sign(k.deps.Provider, secret.Proof{Tenant: k.deps.Tenant, Channel: r.Name})
	return r, proof, err
}

// ask has the provider make the channel of a record.
func (k *Keeper) ask(ctx context.Context, r Record, proof string) (receiver.Channel, error) {
	made, err := k.deps.Channels.CreateChannel(ctx, receiver.NewChannel{
		Name: r.Name, Resource: r.Resource, URL: r.URL, Secret: proof, Expires: r.Expires,
	})
	if err != nil {
		return receiver.Channel{}, fmt.Errorf("create the channel of %s: %w", r.Resource, err)
	}
	if k.deps.Made != nil {
		k.deps.Made(r.Name)
	}
	return made, nil
}

// prune ends every channel to this address, and every one that we know, that is not the one to keep of its resource. The
// one to keep exists by now, so that no push is missed.
// It returns the provider's ids of those that it has ended.
func (k *Keeper) prune(ctx context.Context, known map[string]Record, held []receiver.Channel) (ended map[string]bool, err error) {
	ended = map[string]bool{}
	keep := map[string]bool{}
	for _, resource := range k.deps.Channels.Resources() {
		if r, ok := k.best(known, resource); ok {
			keep[r.ID] = true
		}
	}
	for _, c := range held {
		ours := strings.EqualFold(c.URL, k.cfg.URL)
		for _, r := range known {
			ours = ours || r.ID == c.ID
		}
		if !ours || keep[c.ID] {
			continue
		}
		if err := k.deps.Channels.DeleteChannel(ctx, c); err != nil {
			return ended, fmt.Errorf("end a channel that is not needed: %w", err)
		}
		ended[c.ID] = true
		k.deps.Logger.InfoContext(ctx, "push channel ended", "resource", c.Resource, "expires", c.Expires)
	}
	for name, r := range known {
		if keep[r.ID] {
			continue
		}
		if err := k.store.remove(ctx, name); err != nil {
			return ended, err
		}
		delete(known, name)
	}
	return ended, nil
}

func (k *Keeper) expiry() time.Time { return k.deps.Clock.Now().Add(k.deps.Channels.ChannelLife()) }
