package verify

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
)

// LedgerReport says whether the ledger, LICENSES and the bucket "entitlements" say the same about one product.
type LedgerReport struct {
	Tenant   string `json:"tenant"`
	Product  string `json:"product"`
	Users    int    `json:"users"`    // about whom anybody says anything
	Licensed int    `json:"licensed"` // by the ledger
	Events   int    `json:"events"`   // that LICENSES holds
	// First and Last are the sequences of the oldest and the newest of them; 0 where it holds none.
	First uint64 `json:"first,omitempty"`
	Last  uint64 `json:"last,omitempty"`
	// Faults are what is wrong, a sentence each; at most MaxFaults, the rest only counted.
	Faults []string `json:"faults,omitempty"`
	More   int      `json:"more,omitempty"`
}

// MaxFaults is how many faults a report tells.
const MaxFaults = 20

// OK reports whether all say the same.
func (r LedgerReport) OK() bool { return len(r.Faults) == 0 }

func (r *LedgerReport) fault(format string, args ...any) {
	if len(r.Faults) == MaxFaults {
		r.More++
		return
	}
	r.Faults = append(r.Faults, fmt.Sprintf(format, args...))
}

// Held is what the ledger says of a product: its last sequence, and the decision about each user who has one.
type Held struct {
	Sequence  uint64
	Decisions map[string]Decision
}

// Ledger compares what the ledger holds with the record and with the bucket. What is on its way from one to the next makes
// them differ for a moment: it looks again until they agree or patience is up.
func Ledger(ctx context.Context, b *bus.Bus, tenant, product string, read func(context.Context) (Held, error), patience time.Duration) (LedgerReport, error) {
	limit := time.After(patience)
	for {
		r, err := compareLedger(ctx, b, tenant, product, read)
		if err != nil || r.OK() {
			return r, err
		}
		select {
		case <-ctx.Done():
			return r, ctx.Err()
		case <-limit:
			return r, nil
		case <-time.After(shortRest):
		}
	}
}

func compareLedger(ctx context.Context, b *bus.Bus, tenant, product string, read func(context.Context) (Held, error)) (LedgerReport, error) {
	r := LedgerReport{Tenant: tenant, Product: product}
	held, err := read(ctx)
	if err != nil {
		return r, fmt.Errorf("read the ledger: %w", err)
	}
	record, err := r.record(ctx, b)
	if err != nil {
		return r, err
	}
	bucket, err := r.bucket(ctx, b)
	if err != nil {
		return r, err
	}
	if r.Last > 0 && held.Sequence != r.Last {
		r.fault("the ledger stands at sequence %d, LICENSES at %d", held.Sequence, r.Last)
	}
	r.compareUsers(held.Decisions, record, bucket)
	return r, nil
}

// compareUsers holds the ledger and the bucket to the record, and to each other where the record has forgotten.
func (r *LedgerReport) compareUsers(held, record, bucket map[string]Decision) {
	users := map[string]bool{}
	for _, of := range []map[string]Decision{held, record, bucket} {
		for user := range of {
			users[user] = true
		}
	}
	r.Users = len(users)
	order := make([]string, 0, len(users))
	for user := range users {
		order = append(order, user)
	}
	slices.Sort(order)
	for _, user := range order {
		if held[user].Licensed {
			r.Licensed++
		}
		want, recorded := record[user]
		if !recorded {
			want = bucket[user]
		}
		if held[user] != want {
			r.fault("user %s: the ledger says %s, LICENSES %s", user, held[user], want)
		}
		if bucket[user] != want {
			r.fault("user %s: the bucket says %s, LICENSES %s", user, bucket[user], want)
		}
	}
}

// String says a decision in words.
func (d Decision) String() string {
	switch {
	case d.Sequence == 0:
		return "nothing"
	case d.Licensed:
		return fmt.Sprintf("licensed by event %d", d.Sequence)
	default:
		return fmt.Sprintf("not licensed by event %d", d.Sequence)
	}
}

// record folds what LICENSES holds of the product, and finds gaps and repeats in it.
func (r *LedgerReport) record(ctx context.Context, b *bus.Bus) (map[string]Decision, error) {
	last := map[string]Decision{}
	spec := bus.ReadSpec{Stream: bus.Licenses, Filters: []string{"license." + r.Tenant + "." + r.Product + ".>"}}
	return last, b.Read(ctx, spec, func(m bus.Message) error {
		r.Events++
		sequence, err := sequenceOf(m)
		if err != nil {
			r.fault("message %d of LICENSES is no event of it: %v", m.Sequence, err)
			return nil
		}
		switch {
		case r.First == 0:
			r.First = sequence
		case sequence != r.Last+1:
			r.fault("on LICENSES sequence %d follows %d", sequence, r.Last)
		}
		r.Last = sequence
		if m.Event.Subject() == "" {
			return nil
		}
		return decided(m, sequence, last)
	})
}

// bucket reads each user's latest event as the server has copied it.
func (r *LedgerReport) bucket(ctx context.Context, b *bus.Bus) (map[string]Decision, error) {
	last := map[string]Decision{}
	spec := bus.ReadSpec{
		Stream: "KV_" + bus.BucketEntitlements, Filters: []string{"$KV." + bus.BucketEntitlements + "." + r.Tenant + "." + r.Product + ".*"},
	}
	return last, b.Read(ctx, spec, func(m bus.Message) error {
		sequence, err := sequenceOf(m)
		if err != nil {
			r.fault("message %d of the bucket is no event: %v", m.Sequence, err)
			return nil
		}
		return decided(m, sequence, last)
	})
}

func sequenceOf(m bus.Message) (uint64, error) {
	if m.Fault != nil {
		return 0, m.Fault
	}
	return event.Sequence(m.Event)
}

func decided(m bus.Message, sequence uint64, last map[string]Decision) error {
	data, err := event.Data[event.Entitlement](m.Event)
	if err != nil {
		return err
	}
	last[data.User] = Decision{Licensed: data.Licensed, Sequence: sequence}
	return nil
}
