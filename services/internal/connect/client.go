package connect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// Client asks receivers. It is safe for concurrent use.
type Client struct{ bus *bus.Bus }

// NewClient makes a client. It sends nothing yet.
func NewClient(b *bus.Bus) *Client { return &Client{bus: b} }

// Describe returns what an admin sees of the application by which receivers connect tenants. Errors: ErrNoReceiver,
// ErrNoApplication.
func (c *Client) Describe(ctx context.Context, p directory.Provider) (Shown, error) {
	a, err := c.ask(ctx, p, request{Verb: describe})
	if err == nil && a.Shown == nil {
		err = ErrFailed
	}
	if err != nil {
		return Shown{}, err
	}
	return *a.Shown, nil
}

// Check looks at a directory and changes nothing. Errors: ErrNoReceiver, ErrNoApplication, ErrInvalid, ErrFailed.
func (c *Client) Check(ctx context.Context, w Wanted) (Proof, error) {
	a, err := c.ask(ctx, w.Provider, request{Verb: check, Wanted: w})
	if err == nil && a.Proof == nil {
		err = ErrFailed
	}
	if err != nil {
		return Proof{}, err
	}
	return *a.Proof, nil
}

// Add looks once more, and stores the tenant if nothing is left to do. again says that it was disconnected before. Errors: those
// of Check, ErrNotProved, with what was found, ErrExists and ErrTaken.
func (c *Client) Add(ctx context.Context, w Wanted) (found Proof, again bool, err error) {
	a, err := c.ask(ctx, w.Provider, request{Verb: add, Wanted: w})
	if a.Proof != nil {
		found = *a.Proof
	}
	return found, a.Again, err
}

// Disconnect has a tenant's directory followed no longer. Of one that is disconnected already that is no error. Errors:
// ErrNoReceiver, ErrNoTenant, ErrInvalid, ErrFailed.
func (c *Client) Disconnect(ctx context.Context, p directory.Provider, d Disconnect) error {
	_, err := c.ask(ctx, p, request{Verb: disconnect, Disconnect: d})
	return err
}

// ChangeProducts changes which products a tenant has, and returns those that it has then. Errors: those of Disconnect,
// tenant.ErrNoProduct and tenant.ErrNoProducts.
func (c *Client) ChangeProducts(ctx context.Context, p directory.Provider, w ChangeProducts) ([]tenant.Product, error) {
	a, err := c.ask(ctx, p, request{Verb: products, Products: w})
	return a.Products, err
}

// Erase has what NATS keeps of a disconnected tenant removed, its record first. Of one that is gone what is left is removed. Errors:
// those of Disconnect, and erase.ErrConnected.
func (c *Client) Erase(ctx context.Context, p directory.Provider, e Erase) error {
	_, err := c.ask(ctx, p, request{Verb: forget, Erase: e})
	return err
}

func (c *Client) ask(ctx context.Context, p directory.Provider, r request) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, patience+2*time.Second)
	defer cancel()
	body, err := json.Marshal(r)
	if err != nil {
		return answer{}, fmt.Errorf("ask a receiver: %w", err)
	}
	m, err := c.bus.JetStream().Conn().RequestWithContext(ctx, Subject(p), body)
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return answer{}, ErrNoReceiver
	case err != nil:
		return answer{}, fmt.Errorf("ask a receiver of %s: %w", p, err)
	}
	var a answer
	if err := json.Unmarshal(m.Data, &a); err != nil {
		return answer{}, fmt.Errorf("read the answer of a receiver of %s: %w", p, err)
	}
	if a.Code == "" {
		return a, nil
	}
	if known, is := codes[a.Code]; is {
		return a, known
	}
	return a, ErrFailed
}
