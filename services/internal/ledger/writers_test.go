package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
)

// writersTakeTurns has several writers of one database follow one stream: whoever has locked its position decides alone.
func writersTakeTurns(t *testing.T, b ledgertest.Backend) {
	const writers, each = 3, 40
	address := b.Address(t)
	group, ctx := errgroup.WithContext(t.Context())
	for range writers {
		l := open(t, address)
		group.Go(func() error {
			for range each {
				if err := l.Update(ctx, step); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	l := open(t, address)
	p, _, err := l.Position(t.Context(), "LEDGER_IN", 0)
	if err != nil || p.Sequence != writers*each {
		t.Errorf("at %d, %v; want %d", p.Sequence, err, writers*each)
	}
	out, err := l.Outbox(t.Context(), writers*each+1)
	if err != nil || len(out) != writers*each {
		t.Fatalf("%d events, %v", len(out), err)
	}
	for i, o := range out {
		if o.EventID != fmt.Sprint(i+1) {
			t.Fatalf("event %s stands at %d", o.EventID, i+1)
		}
	}
}

// step moves the position by one and tells of it, as a worker does.
func step(tx *ledger.Tx) error {
	p, _, err := tx.Position("LEDGER_IN", 0)
	if err != nil {
		return err
	}
	tn, err := tx.Tenant("contoso")
	if err != nil {
		return err
	}
	if tn.Granted != int64(p.Sequence) {
		return fmt.Errorf("the tenant is at %d, the position at %d", tn.Granted, p.Sequence)
	}
	tn.Granted++
	p.Created, p.Sequence = nine, p.Sequence+1
	if err := tx.SaveTenant(tn); err != nil {
		return err
	}
	if err := tx.Emit(ledger.Outgoing{EventID: fmt.Sprint(p.Sequence), Body: []byte{}}); err != nil {
		return err
	}
	return tx.SavePosition(p)
}

// readersSeeWholeTransactions has readers count while the writer puts in users by threes.
func readersSeeWholeTransactions(t *testing.T, b ledgertest.Backend) {
	const readers, rounds, by = 4, 30, 3
	address := b.Address(t)
	l := open(t, address)
	people(t, l)
	writing, stop := context.WithCancel(t.Context())
	group, ctx := errgroup.WithContext(t.Context())
	for range readers {
		r, err := ledger.OpenReader(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = r.Close() })
		group.Go(func() error {
			for seen := 0; ; {
				done := writing.Err() != nil
				state, err := r.Tenant(ctx, "contoso")
				if err != nil {
					return err
				}
				if state.Users%by != 0 || state.Users < seen {
					return fmt.Errorf("%d users after %d", state.Users, seen)
				}
				seen = state.Users
				if done && seen != rounds*by {
					return fmt.Errorf("%d users in the end", seen)
				}
				if done {
					return nil
				}
			}
		})
	}
	for round := range rounds {
		update(t, l, func(tx *ledger.Tx) error {
			for i := range by {
				if _, err := tx.PutUser(tenant(t, tx), someone(fmt.Sprint(round, "-", i), directory.Active), ledger.Evidence{Stamp: at(1)}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	stop()
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
}

// terminate ends all connections to the database that its ledgers have.
func terminate(t *testing.T, address string) {
	t.Helper()
	if _, err := raw(t, address).ExecContext(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND application_name = 'rollcall'`); err != nil {
		t.Fatal(err)
	}
}

func TestLostConnectionsAreMadeAnew(t *testing.T) {
	t.Parallel()
	address := ledgertest.Postgres(t)
	l := open(t, address)
	update(t, l, step)

	terminate(t, address)
	update(t, l, step) // lost between transactions: nobody notices

	err := l.Update(t.Context(), func(tx *ledger.Tx) error {
		if err := step(tx); err != nil {
			return err
		}
		terminate(t, address)
		return step(tx)
	})
	if err == nil {
		t.Error("a transaction outlives its connection")
	}
	err = l.Update(t.Context(), func(tx *ledger.Tx) error {
		err := step(tx)
		terminate(t, address)
		return err
	})
	if err == nil {
		t.Error("a commit outlives its connection")
	}
	update(t, l, step) // it checks that position and tenant agree
	for range 5 {      // each connection of the pool may be found to be dead once
		var p ledger.Position
		if p, _, err = l.Position(t.Context(), "LEDGER_IN", 0); err == nil {
			if p.Sequence != 3 {
				t.Errorf("at %d, want 3", p.Sequence)
			}
			break
		}
	}
	if err != nil {
		t.Errorf("the readers do not come back: %v", err)
	}
}

// A query that is cut off takes its connection with it: the next transaction has another.
func TestWaitingForALockCanBeCancelled(t *testing.T) {
	t.Parallel()
	address := ledgertest.Postgres(t)
	holder, waiter := open(t, address), open(t, address)
	update(t, holder, step)
	update(t, holder, func(tx *ledger.Tx) error {
		if err := step(tx); err != nil {
			return err
		}
		ctx, cancel := context.WithCancel(t.Context())
		err := waiter.Update(ctx, func(other *ledger.Tx) error {
			_, _, err := other.Position("another", 0)
			if err != nil {
				return err
			}
			go func() {
				awaitLock(t, address)
				cancel()
			}()
			_, _, err = other.Position("LEDGER_IN", 0)
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the one that waits: %v", err)
		}
		return nil
	})
	update(t, waiter, step)
}

// awaitLock returns when somebody waits for a row of the database.
func awaitLock(t *testing.T, address string) {
	db := raw(t, address)
	for {
		var waiting bool
		if err := db.QueryRowContext(t.Context(), `SELECT EXISTS (SELECT 1 FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock')`).Scan(&waiting); err != nil {
			t.Error(err)
			return
		}
		if waiting {
			return
		}
	}
}
