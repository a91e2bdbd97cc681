package license

import (
	"context"
	"sync"

	"github.com/rollcall-hq/rollcall/pkg/bus"
)

// Replica is the present state of everyone whom its Options name, in memory: for services that ask "is this user licensed?"
// at every request, and must not wait for an answer, or for a network. It holds some 200 bytes a user. All methods are safe
// for concurrent use.
type Replica struct {
	client  *Client
	options Options
	tail    uint64 // of LICENSES: behind what was there before the snapshot was taken
	copied  uint64 // of the bucket: behind the snapshot

	mu      sync.RWMutex
	fold    Fold
	waiting map[Key]chan struct{} // of those who wait for a change
}

// Replica takes a snapshot of the present state, from the bucket "entitlements", and returns a replica that is as current as
// that; Run keeps it current. Of the Options only Tenant, Product and User count. Errors: bus.ErrUnavailable, and ctx's.
func (c *Client) Replica(ctx context.Context, o Options) (*Replica, error) {
	r := &Replica{client: c, options: Options{Tenant: o.Tenant, Product: o.Product, User: o.User}, waiting: map[Key]chan struct{}{}}
	if err := r.options.validate(); err != nil {
		return nil, err
	}
	info, err := c.bus.StreamInfo(ctx, bus.Licenses)
	if err != nil {
		return nil, err
	}
	r.tail = info.State.LastSeq + 1
	r.copied = 1
	return r, c.latest(ctx, r.options, false, 0, r.copy)
}

// Run follows LICENSES from before the snapshot on, until ctx ends; it returns nil then. The bucket is followed as well: it
// is a copy that may lag, so that the snapshot may lack what had just been published. Any error means that the replica is
// not to be trusted any more, and that another is to be made: GapError, ErrAhead, bus.ErrStreamReplaced, bus.ErrUnavailable.
func (r *Replica) Run(ctx context.Context) error {
	following, stop := context.WithCancel(ctx)
	ended := make(chan error, 2)
	go func() {
		spec := bus.ReadSpec{FromSequence: r.tail, Follow: true}
		ended <- r.client.read(following, r.options, start{}, spec, func(_ context.Context, e Event) error {
			r.apply(e)
			return nil
		})
	}()
	go func() { ended <- r.client.latest(following, r.options, true, r.copied, r.copy) }()
	err := <-ended
	stop()
	<-ended // which only says that it was stopped
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// copy takes one value of the bucket.
func (r *Replica) copy(m bus.Message) error {
	r.copied = m.Sequence + 1
	if e, err := r.client.decode(m); err == nil { // or else it is counted
		r.apply(e)
	}
	return nil
}

func (r *Replica) apply(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.fold.Apply(e) {
		return
	}
	key := Key{Tenant: e.Tenant, Product: e.Product, User: e.User}
	if waiting, ok := r.waiting[key]; ok {
		close(waiting)
		delete(r.waiting, key)
	}
}

// Licensed reports whether the user is licensed. Who has no event is not.
func (r *Replica) Licensed(key Key) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.fold.Licensed(key)
}

// State returns what the record says of a user, and false where it says nothing: the user was never licensed.
func (r *Replica) State(key Key) (State, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	s, known := r.fold.states[key]
	return s, known
}

// Watch is State with a channel that is closed when the state is another one.
func (r *Replica) Watch(key Key) (s State, known bool, changed <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, known = r.fold.states[key]
	waiting, ok := r.waiting[key]
	if !ok {
		waiting = make(chan struct{})
		r.waiting[key] = waiting
	}
	return s, known, waiting
}
