package bus_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
)

func TestReadEndsWhenCaughtUp(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	read := func(spec bus.ReadSpec) []int {
		t.Helper()
		spec.Stream = bus.LedgerIn
		var got []int
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if err := b.Read(ctx, spec, func(m bus.Message) error {
			got = append(got, said(t, m))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := read(bus.ReadSpec{}); got != nil {
		t.Errorf("an empty stream holds %v", got)
	}
	publish(t, b, "contoso", 1, 3)
	between := time.Now()
	publish(t, b, "fabrikam", 4, 5)
	for name, c := range map[string]struct {
		spec bus.ReadSpec
		want []int
	}{
		"everything":     {bus.ReadSpec{}, []int{1, 2, 3, 4, 5}},
		"filter":         {bus.ReadSpec{Filters: []string{"directory.*.contoso.>"}}, []int{1, 2, 3}},
		"two filters":    {bus.ReadSpec{Filters: []string{"directory.*.contoso.>", "directory.*.fabrikam.>"}}, []int{1, 2, 3, 4, 5}},
		"nothing there":  {bus.ReadSpec{Filters: []string{"directory.*.nobody.>"}}, nil},
		"from sequence":  {bus.ReadSpec{FromSequence: 3}, []int{3, 4, 5}},
		"past the end":   {bus.ReadSpec{FromSequence: 6}, nil},
		"from time":      {bus.ReadSpec{FromTime: between}, []int{4, 5}},
		"from the start": {bus.ReadSpec{FromTime: between.Add(-time.Hour)}, []int{1, 2, 3, 4, 5}},
		"from now":       {bus.ReadSpec{FromNow: true}, nil},
	} {
		if diff := cmp.Diff(c.want, read(c.spec)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// What is written while Read reads is not read: a busy stream must not keep it from ending.
func TestReadEndsOnABusyStream(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	const stored = 700 // more than one pull brings
	publish(t, b, "contoso", 1, stored)
	publish(t, b, "fabrikam", 1, 1) // the stream's last message is none of the filter's
	count := 0
	err := b.Read(t.Context(), bus.ReadSpec{Stream: bus.LedgerIn, Filters: []string{"directory.*.contoso.>"}}, func(bus.Message) error {
		count++
		publish(t, b, "contoso", stored+count, stored+count)
		if count > stored {
			return errBroken
		}
		return nil
	})
	if err != nil || count != stored {
		t.Errorf("read %d messages, %v", count, err)
	}
}

// Deleted messages leave the reader waiting for what will never come, unless it asks.
func TestReadEndsWhenTheRestIsGone(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	publish(t, b, "contoso", 1, 3)
	s, err := b.JetStream().Stream(t.Context(), bus.LedgerIn)
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	err = b.Read(t.Context(), bus.ReadSpec{Stream: bus.LedgerIn, Filters: []string{"directory.>"}}, func(m bus.Message) error {
		got = append(got, said(t, m))
		return s.Purge(t.Context())
	})
	if err != nil || len(got) == 0 {
		t.Errorf("read %v, %v", got, err)
	}
}

func TestReadFollowsFromNow(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	publish(t, b, "contoso", 1, 3)
	errEnough := errors.New("enough")
	got := make(chan int, 1)
	done := make(chan error, 1)
	go func() {
		done <- b.Read(t.Context(), bus.ReadSpec{Stream: bus.LedgerIn, FromNow: true, Follow: true}, func(m bus.Message) error {
			got <- said(t, m)
			return errEnough
		})
	}()
	// The reader has its consumer once the stream counts one.
	for streamInfo(t, b, bus.LedgerIn).State.Consumers == 0 {
	}
	publish(t, b, "contoso", 4, 4)
	if n := receive(t, got); n != 4 {
		t.Errorf("read %d", n)
	}
	if err := receive(t, done); !errors.Is(err, errEnough) {
		t.Errorf("ended with %v", err)
	}
}
