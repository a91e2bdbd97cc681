package verify

import (
	"context"
	"fmt"

	"github.com/rollcall-hq/rollcall/pkg/bus"
)

// Streams is where a Record is read. *bus.Bus is one.
type Streams interface {
	Read(ctx context.Context, spec bus.ReadSpec, fn func(bus.Message) error) error
}

// ReadRecord reads all that the streams hold of a tenant. NOTIFICATIONS may have forgotten some: a chain then ends earlier.
func ReadRecord(ctx context.Context, streams Streams, tenant string) (*Record, error) {
	r := NewRecord(tenant)
	for _, spec := range []bus.ReadSpec{
		{Stream: bus.Notifications, Filters: []string{"notification.*.*." + tenant}},
		{Stream: bus.LedgerIn, Filters: []string{"directory.*." + tenant + ".>", "command.*." + tenant + ".>"}},
		{Stream: bus.Licenses, Filters: []string{"license." + tenant + ".>"}},
	} {
		err := streams.Read(ctx, spec, func(m bus.Message) error {
			if m.Fault != nil {
				return fmt.Errorf("message %d: %w", m.Sequence, m.Fault)
			}
			return r.Add(m.Event)
		})
		if err != nil {
			return nil, fmt.Errorf("read what %s holds of %s: %w", spec.Stream, tenant, err)
		}
	}
	return r, nil
}

var _ Streams = (*bus.Bus)(nil)
