package state

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Owner is who reads the tenants of one partition, kept in the KV bucket "owners" as <role>-p<partition>. Each start is
// a new epoch, above all before it, so that what it observes is later than what they did. Nobody is kept out yet: two
// owners at once do no harm, as the later epoch wins every row, and feeds are saved by compare-and-set.
type Owner struct{ Epoch int64 }

// Own takes the key's next epoch: max(the last one + 1, now in ms).
func Own(ctx context.Context, kv jetstream.KeyValue, key string, now time.Time) (Owner, error) {
	for {
		var last, revision uint64
		entry, err := kv.Get(ctx, key)
		switch {
		case err == nil:
			if last, err = strconv.ParseUint(string(entry.Value()), 10, 63); err != nil {
				return Owner{}, fmt.Errorf("own %s: its epoch: %w", key, err)
			}
			revision = entry.Revision()
		case !errors.Is(err, jetstream.ErrKeyNotFound):
			return Owner{}, fmt.Errorf("own %s: %w", key, err)
		}
		epoch := max(int64(last)+1, now.UnixMilli())
		_, err = swap(ctx, kv, key, []byte(strconv.FormatInt(epoch, 10)), revision)
		if errors.Is(err, ErrSuperseded) {
			continue // somebody else was first: above theirs, then
		}
		if err != nil {
			return Owner{}, fmt.Errorf("own %s: %w", key, err)
		}
		return Owner{Epoch: epoch}, nil
	}
}
