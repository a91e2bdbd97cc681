package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

// PolicyAt returns the policy that was in force for a product at a moment, and whether any was.
func (r *Reader) PolicyAt(ctx context.Context, tenant, product string, at time.Time) (p event.PolicyChanged, found bool, err error) {
	id, err := r.productID(ctx, tenant, product)
	if err != nil {
		return p, false, err
	}
	var data string
	found, err = r.one(ctx, `SELECT data FROM records WHERE product = $1 AND type = $2 AND at <= $3 ORDER BY sequence DESC LIMIT 1`,
		[]any{id, event.TypePolicyChanged, micros(at)}, &data)
	if !found || err != nil {
		return p, false, err
	}
	if err := json.Unmarshal([]byte(data), &p); err != nil {
		return p, false, fmt.Errorf("read the policy of %s of %s: %w", product, tenant, err)
	}
	return p, true, nil
}
