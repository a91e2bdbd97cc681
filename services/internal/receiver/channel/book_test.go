package channel_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/channel"
)

// follow has a book follow a bucket until the returned function is called.
func follow(t *testing.T, book *channel.Book, kv jetstream.KeyValue) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- book.Follow(ctx, kv) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Follow: %v", err)
		}
	}
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("no %s", what)
		}
	}
}

func TestBookKnowsEveryTenantsChannels(t *testing.T) {
	t.Parallel()
	kv, err := bustest.New(t).KeyValue(t.Context(), bus.BucketChannels)
	if err != nil {
		t.Fatal(err)
	}
	put := func(key string, value []byte) {
		t.Helper()
		if _, err := kv.Put(t.Context(), key, value); err != nil {
			t.Fatal(err)
		}
	}
	record := func(name string, state channel.State) []byte {
		body, err := json.Marshal(channel.Record{Name: name, State: state, ResourceID: "r1"})
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	put("contoso.A", record("A", channel.Live))
	put("initech.B", record("B", channel.Pending))
	put("initech.C", record("C", channel.Live))
	book := channel.NewBook()
	if _, known := book.Find("contoso", "A"); known || book.Loaded() {
		t.Error("it knows what it was never told")
	}
	stop := follow(t, book, kv)
	until(t, "book", book.Loaded)
	if a, known := book.Find("contoso", "A"); !known || a.ResourceID != "r1" {
		t.Errorf("A is %+v, %t", a, known)
	}
	if _, known := book.Find("initech", "A"); known {
		t.Error("one tenant's channel is taken for another's")
	}
	put("initech.B", record("B", channel.Retired))
	until(t, "retired channel", func() bool { b, _ := book.Find("initech", "B"); return b.State == channel.Retired })
	put("contoso.A", []byte("{"))
	until(t, "end of what cannot be read", func() bool { _, known := book.Find("contoso", "A"); return !known })

	stop() // what goes meanwhile is gone when it is followed again
	if err := kv.Delete(t.Context(), "initech.C"); err != nil {
		t.Fatal(err)
	}
	if _, known := book.Find("initech", "C"); !known {
		t.Error("it forgets while nobody tells it anything")
	}
	stop = follow(t, book, kv)
	defer stop()
	until(t, "end of C", func() bool { _, known := book.Find("initech", "C"); return !known })
}
