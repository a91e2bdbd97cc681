package tenant_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// between is a bucket in which something happens just before the first write that it is waiting for.
type between struct {
	jetstream.KeyValue
	at    string // "create contoso", "delete directory."
	meant func()
}

func (b *between) reached(write string) {
	if do := b.meant; do != nil && strings.HasPrefix(write, b.at) {
		b.meant = nil
		do()
	}
}

func (b *between) Create(ctx context.Context, key string, value []byte, opts ...jetstream.KVCreateOpt) (uint64, error) {
	b.reached("create " + key)
	return b.KeyValue.Create(ctx, key, value, opts...)
}

func (b *between) Delete(ctx context.Context, key string, opts ...jetstream.KVDeleteOpt) error {
	b.reached("delete " + key)
	return b.KeyValue.Delete(ctx, key, opts...)
}

// rival is another tenant on contoso's directory.
func rival() tenant.Tenant {
	t := contoso()
	t.ID = "rival"
	return t
}

func TestTwoAtOnceDoNotShareADirectory(t *testing.T) {
	t.Parallel()
	kv := bucket(t)
	var second error
	slow := tenant.NewRegistry(&between{KeyValue: kv, at: "create contoso", meant: func() {
		second = tenant.NewRegistry(kv).Add(t.Context(), rival())
	}})
	first := slow.Add(t.Context(), contoso())
	all, err := tenant.NewRegistry(kv).List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 1 {
		t.Errorf("%d tenants have one directory: %v, %v", len(all), first, second)
	}
	if failed := errors.Join(first, second); !errors.Is(failed, tenant.ErrDirectoryTaken) {
		t.Errorf("nobody was told: %v", failed)
	}
}

func TestDeletingDoesNotFreeAnothersDirectory(t *testing.T) {
	t.Parallel()
	kv := bucket(t)
	r := tenant.NewRegistry(kv)
	if err := r.Add(t.Context(), contoso()); err != nil {
		t.Fatal(err)
	}
	slow := tenant.NewRegistry(&between{KeyValue: kv, at: "delete directory.", meant: func() {
		if err := r.Add(t.Context(), rival()); err != nil {
			t.Error(err)
		}
	}})
	if err := slow.Delete(t.Context(), "contoso"); err != nil {
		t.Fatal(err)
	}
	if err := r.Add(t.Context(), contoso()); !errors.Is(err, tenant.ErrDirectoryTaken) {
		t.Errorf("a second tenant on the rival's directory: %v", err)
	}
}
