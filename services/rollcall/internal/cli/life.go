package cli

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/apiclient"
	"github.com/rollcall-hq/rollcall/services/internal/command"
	"github.com/rollcall-hq/rollcall/services/internal/erase"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// Disconnect has the worker keep or revoke the licenses, then the directory followed no longer.
func (o onBus) Disconnect(ctx context.Context, g given, tenantID string, data event.DisconnectRequested) (string, error) {
	return o.live(ctx, g, tenantID, data, func(r *tenant.Registry) error {
		_, err := r.Change(ctx, tenantID, tenant.Disconnect)
		return err
	})
}

// Erase has the worker forget a disconnected tenant, then NATS.
func (o onBus) Erase(ctx context.Context, g given, tenantID string, data event.EraseRequested) (string, error) {
	registry, err := o.app.tenants(ctx, o.bus)
	if err != nil {
		return "", err
	}
	t, err := registry.Get(ctx, tenantID)
	switch {
	case errors.Is(err, tenant.ErrNotFound): // of one whose erasing broke off, something may be left
		return "", errors.Join(err, erase.Tenant(ctx, o.bus, tenantID, erase.Any))
	case err != nil:
		return "", err
	case !t.Disconnected:
		return "", fmt.Errorf("tenant %s is connected: disconnect it before it is erased", t.ID)
	}
	return o.live(ctx, g, tenantID, data, func(*tenant.Registry) error { return erase.Tenant(ctx, o.bus, tenantID, erase.Any) })
}

// live gives a command about a tenant's life. After its answer then does what is to be done beside the ledger.
func (o onBus) live(ctx context.Context, g given, tenantID string, data any, then func(*tenant.Registry) error) (string, error) {
	answer, err := o.Order(ctx, g, tenantID, data)
	if err != nil {
		return "", err
	}
	registry, err := o.app.tenants(ctx, o.bus)
	if err == nil {
		err = then(registry)
	}
	if err != nil {
		return "", fmt.Errorf("half done, and to be done again: %w", err)
	}
	return answer.Command, nil
}

// Disconnect is asked for until all of it is done.
func (r *remote) Disconnect(ctx context.Context, g given, tenantID string, data event.DisconnectRequested) (string, error) {
	return r.live(ctx, g, tenantID, func(ctx context.Context, key string) (apiclient.Command, error) {
		return apiclient.Read[apiclient.Command](r.api.DisconnectTenant(ctx, tenantID, &apiclient.DisconnectTenantParams{IdempotencyKey: &key},
			apiclient.DisconnectRequest{Licenses: apiclient.DisconnectRequestLicenses(data.Licenses)}))
	})
}

// Erase is asked for until all of it is done.
func (r *remote) Erase(ctx context.Context, g given, tenantID string, _ event.EraseRequested) (string, error) {
	return r.live(ctx, g, tenantID, func(ctx context.Context, key string) (apiclient.Command, error) {
		return apiclient.Read[apiclient.Command](r.api.EraseTenant(ctx, tenantID, &apiclient.EraseTenantParams{IdempotencyKey: &key},
			apiclient.EraseRequest{Confirm: tenantID}))
	})
}

// live sends the same under one key until the server says that it is done.
func (r *remote) live(ctx context.Context, g given, tenantID string, send func(ctx context.Context, key string) (apiclient.Command, error)) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	key := cmp.Or(g.key, rand.Text())
	told, err := send(ctx, key)
	for err == nil && told.State == apiclient.CommandStatePending {
		if err = pause(ctx, asksEvery); err == nil {
			told, err = send(ctx, key)
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = command.ErrNoAnswer
	}
	return tenantID + "." + told.ID, waited(err, g.timeout)
}
