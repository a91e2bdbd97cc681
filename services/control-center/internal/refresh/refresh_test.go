package refresh_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/refresh"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/command"
)

func TestMain(m *testing.M) { bustest.VerifyNoLeaks(m) }

const (
	id       = "contoso.refresh.day"
	patience = 20 * time.Second
)

// stage is a stream with one refresh of contoso on it.
type stage struct {
	t     *testing.T
	bus   *bus.Bus
	clock *clock.Fake
	book  *refresh.Book
	told  chan refresh.Refresh
	ended chan error
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t, bus: bustest.New(t), clock: clock.NewFake(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)), told: make(chan refresh.Refresh), ended: make(chan error, 1)}
	s.book = refresh.NewBook(context.Background(), s.bus, s.clock)
	t.Cleanup(s.book.Close)
	if _, err := command.New(s.bus, s.clock).Send(t.Context(), "contoso", "day", event.RefreshRequested{RequestedBy: "cli"}); err != nil {
		t.Fatal(err)
	}
	return s
}

// watch has it told until it ends.
func (s *stage) watch(ctx context.Context) {
	go func() {
		s.ended <- s.book.Watch(ctx, "contoso", "day", func(r refresh.Refresh) error {
			select {
			case s.told <- r:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
}

// until returns what is told first that is as it should be.
func (s *stage) until(state refresh.State) refresh.Refresh {
	s.t.Helper()
	for late := time.After(patience); ; {
		select {
		case r := <-s.told:
			if r.State == state {
				return r
			}
		case err := <-s.ended:
			s.t.Fatalf("it has ended before %s: %v", state, err)
		case <-late:
			s.t.Fatalf("never told: %s", state)
		}
	}
}

func (s *stage) publish(eventType, subject, eventID string, data any) {
	s.t.Helper()
	ev, err := event.New(eventType, event.Meta{ID: eventID, Source: event.DirectorySource("contoso"), Time: s.clock.Now(), Tenant: "contoso", Cause: id}, data)
	if err == nil {
		_, err = s.bus.Publish(s.t.Context(), subject, ev)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) page(n int) {
	s.t.Helper()
	s.publish(event.TypeDirectoryObserved, event.DirectorySubject("contoso", "page"), "page."+strconv.Itoa(n), event.DirectoryObserved{
		Stamp: event.Stamp{Epoch: 1, Counter: uint64(n)}, Snapshot: id,
		Observations: []event.Observation{{User: &event.User{ID: "ada", Status: "active"}}},
	})
}

func (s *stage) complete() {
	s.t.Helper()
	s.publish(event.TypeRefreshCompleted, event.CommandSubject("contoso", "refreshed"), "done", event.RefreshCompleted{Snapshot: id, Users: 1})
}

// TestWhoWaitsIsToldToTheEnd, however long nothing comes in between.
func TestWhoWaitsIsToldToTheEnd(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.watch(t.Context())
	s.until(refresh.Waiting)
	s.page(1)
	if r := s.until(refresh.Reading); r.Progress.Users != 1 || r.Progress.Pages != 1 {
		t.Errorf("%+v", r.Progress)
	}
	for range 3 {
		s.clock.BlockUntil(1)
		s.clock.Advance(time.Hour)
	}
	s.clock.BlockUntil(1)
	s.publish(event.TypeSnapshotEnded, event.DirectorySubject("contoso", "snapshot"), "end", event.SnapshotEnded{Snapshot: id, Pages: 1})
	s.until(refresh.Comparing)
	s.complete()
	if r := s.until(refresh.Done); r.Result.Users != 1 {
		t.Errorf("%+v", r)
	}
	if err := <-s.ended; err != nil {
		t.Error(err)
	}
	s.watch(t.Context()) // of one that has ended there is one word
	s.until(refresh.Done)
	if err := <-s.ended; err != nil {
		t.Error(err)
	}
}

// TestWhatEndsAWatch that has not come to the end of its refresh.
func TestWhatEndsAWatch(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	if err := s.book.Watch(t.Context(), "contoso", "never", nil); !errors.Is(err, refresh.ErrNone) {
		t.Errorf("of none: %v", err)
	}
	if err := s.book.Watch(t.Context(), "fabrikam", "day", nil); !errors.Is(err, refresh.ErrNone) {
		t.Errorf("of another tenant: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s.watch(ctx)
	s.until(refresh.Waiting)
	cancel()
	if err := <-s.ended; !errors.Is(err, context.Canceled) {
		t.Errorf("who has gone: %v", err)
	}
	s.watch(t.Context())
	s.until(refresh.Waiting)
	s.book.Close()
	if err := <-s.ended; err == nil {
		t.Error("a book that is closed tells no end")
	}
	s.watch(t.Context())
	if err := <-s.ended; !errors.Is(err, refresh.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

// TestFollowingEndsWhenNobodyAsks, and begins anew when somebody does.
func TestFollowingEndsWhenNobodyAsks(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for range 2 {
		if _, err := s.book.Get(t.Context(), "contoso", "day"); err != nil {
			t.Fatal(err)
		}
		s.clock.BlockUntil(1)
		s.clock.Advance(time.Hour)
	}
	s.page(1)
	s.watch(t.Context())
	if r := s.until(refresh.Reading); r.Progress.Pages != 1 {
		t.Errorf("%+v", r.Progress)
	}
	s.complete()
	s.until(refresh.Done)
	if err := <-s.ended; err != nil {
		t.Error(err)
	}
}
