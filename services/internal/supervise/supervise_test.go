package supervise_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/supervise"
)

var quiet = supervise.Deps{Logger: slog.New(slog.DiscardHandler)}

// steady runs until it is told to stop.
func steady(name string, stopped *bool) supervise.Worker {
	return supervise.Worker{Name: name, Run: func(ctx context.Context) error {
		<-ctx.Done()
		*stopped = true
		return ctx.Err()
	}}
}

func TestTheFirstFailureStopsAll(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	for name, fail := range map[string]func(context.Context) error{
		"error": func(context.Context) error { return boom },
		"end":   func(context.Context) error { return nil },
		"panic": func(context.Context) error { panic("boom") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stopped bool
			err := supervise.Run(t.Context(), supervise.Config{}, quiet,
				steady("steady", &stopped), supervise.Worker{Name: "weak", Run: fail})
			if err == nil || !strings.HasPrefix(err.Error(), "weak: ") || !stopped {
				t.Errorf("error %v, the other stopped: %v", err, stopped)
			}
			if name == "error" && !errors.Is(err, boom) {
				t.Errorf("the cause is lost: %v", err)
			}
		})
	}
}

func TestTheEndIsWaitedForButNotForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		release := make(chan struct{})
		slow := supervise.Worker{Name: "slow", Run: func(context.Context) error { <-release; return nil }}
		var stopped bool
		time.AfterFunc(time.Minute, cancel)
		begin := time.Now()
		err := supervise.Run(ctx, supervise.Config{Drain: 5 * time.Second}, quiet, slow, steady("steady", &stopped))
		if !errors.Is(err, supervise.ErrDrain) || !strings.Contains(err.Error(), "slow") || strings.Contains(err.Error(), "steady") {
			t.Errorf("error %v", err)
		}
		if took := time.Since(begin); took != time.Minute+5*time.Second {
			t.Errorf("took %s", took)
		}
		close(release)
	})
}

func TestACleanEndIsNoError(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var a, b bool
	if err := supervise.Run(ctx, supervise.Config{}, quiet, steady("a", &a), steady("b", &b)); err != nil || !a || !b {
		t.Errorf("error %v, stopped %v %v", err, a, b)
	}
}
