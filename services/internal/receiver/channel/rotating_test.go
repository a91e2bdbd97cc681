package channel_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

// life is how long the channels of rotating live.
const life = 6 * time.Hour

// rotating is a provider of channels that have our names, live for six hours, and are neither renewed nor listed.
type rotating struct {
	clock *clock.Fake

	mu    sync.Mutex
	fault func(method string) outcome // may be nil
	seen  func(receiver.NewChannel)   // called with each that is asked for, before it is answered; may be nil
	held  []made
	calls int
	stuck chan struct{} // receives when a request got no answer
}

// made is a channel with what it echoes.
type made struct {
	receiver.Channel
	secret string
}

// outcome is what becomes of a request.
type outcome int

const (
	fine    outcome = iota
	refused         // answered, and not done
	lost            // done, and the answer is lost
	failed          // not done, and the answer does not say
	hung            // done, and there is no answer for as long as anybody waits
)

func newRotating(c *clock.Fake) *rotating { return &rotating{clock: c, stuck: make(chan struct{}, 1)} }

func (p *rotating) Resources() []string        { return []string{"admin", "groups"} }
func (p *rotating) ChannelLife() time.Duration { return life }

func (p *rotating) ListChannels(context.Context) ([]receiver.Channel, error) {
	return nil, errors.ErrUnsupported
}

func (p *rotating) RenewChannel(context.Context, receiver.Channel, time.Time) (receiver.Channel, error) {
	return receiver.Channel{}, errors.ErrUnsupported
}

func (p *rotating) CreateChannel(ctx context.Context, c receiver.NewChannel) (receiver.Channel, error) {
	if p.seen != nil {
		p.seen(c)
	}
	granted := receiver.Channel{ID: c.Name, Resource: c.Resource, ResourceID: "r-" + c.Resource, URL: c.URL, Expires: c.Expires}
	err := p.answer(ctx, "create", func() { p.held = append(p.held, made{granted, c.Secret}) })
	return granted, err
}

func (p *rotating) DeleteChannel(ctx context.Context, c receiver.Channel) error {
	if c.ResourceID != "r-"+c.Resource {
		return fmt.Errorf("no channel %s of %q", c.ID, c.ResourceID)
	}
	return p.answer(ctx, "delete", func() {
		p.held = slices.DeleteFunc(p.held, func(m made) bool { return m.ID == c.ID })
	})
}

func (p *rotating) answer(ctx context.Context, method string, do func()) error {
	p.mu.Lock()
	p.calls++
	what := fine
	if p.fault != nil {
		what = p.fault(method)
	}
	if what != refused && what != failed {
		do()
	}
	p.mu.Unlock()
	switch what {
	case refused:
		return fmt.Errorf("%s: %w", method, receiver.ErrRefused)
	case lost, failed:
		return errors.New("502 Bad Gateway")
	case hung:
		p.stuck <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}

// channels returns those that have not expired.
func (p *rotating) channels() []made {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = slices.DeleteFunc(p.held, func(m made) bool { return !m.Expires.After(p.clock.Now()) })
	return slices.Clone(p.held)
}

func (p *rotating) asked() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls
}

// let has faults decided from here on; nil: everything goes well.
func (p *rotating) let(fault func(method string) outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = fault
}
