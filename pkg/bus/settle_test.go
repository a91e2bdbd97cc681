package bus

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestDecide(t *testing.T) {
	t.Parallel()
	errBroken := errors.New("broken")
	c := Consumer{Attempts: 3, FirstRetry: time.Second}
	for name, tc := range map[string]struct {
		err      error
		failures int
		stopping bool
		want     verdict
	}{
		"done":                    {want: verdict{outcome: Acked}},
		"first failure":           {err: errBroken, want: verdict{Retried, time.Second, true}},
		"second failure":          {err: errBroken, failures: 1, want: verdict{Retried, 2 * time.Second, true}},
		"last failure":            {err: errBroken, failures: 2, want: verdict{outcome: DeadLettered}},
		"postponed":               {err: RetryAfter(time.Minute, errBroken), failures: 2, want: verdict{outcome: Retried, delay: time.Minute}},
		"postponed, wrapped":      {err: fmt.Errorf("x: %w", RetryAfter(time.Minute, errBroken)), want: verdict{outcome: Retried, delay: time.Minute}},
		"rejected":                {err: Reject(errBroken), want: verdict{outcome: DeadLettered}},
		"rejected, wrapped":       {err: fmt.Errorf("x: %w", Reject(errBroken)), want: verdict{outcome: DeadLettered}},
		"broken off":              {err: context.Canceled, failures: 2, stopping: true, want: verdict{outcome: Retried}},
		"failed at the end":       {err: errBroken, failures: 2, stopping: true, want: verdict{outcome: DeadLettered}},
		"canceled by a handler":   {err: context.Canceled, want: verdict{Retried, time.Second, true}},
		"a rejected retry":        {err: Reject(RetryAfter(time.Minute, errBroken)), want: verdict{outcome: DeadLettered}},
		"its own time ran out":    {err: context.DeadlineExceeded, stopping: true, want: verdict{Retried, time.Second, true}},
		"done while it stops":     {stopping: true, want: verdict{outcome: Acked}},
		"postponed while it ends": {err: RetryAfter(time.Minute, errBroken), stopping: true, want: verdict{outcome: Retried, delay: time.Minute}},
	} {
		if got := decide(tc.err, c, tc.failures, tc.stopping); got != tc.want {
			t.Errorf("%s: %+v, want %+v", name, got, tc.want)
		}
	}
}

func TestRetryDelaysGrowToABound(t *testing.T) {
	t.Parallel()
	c := Consumer{FirstRetry: 100 * time.Millisecond}
	for failures, want := range map[int]time.Duration{
		0: 100 * time.Millisecond, 3: 800 * time.Millisecond, 9: 30 * time.Second, 21: 30 * time.Second, 1 << 40: 30 * time.Second,
	} {
		if got := c.retryDelay(failures); got != want {
			t.Errorf("after %d failures: %v, want %v", failures, got, want)
		}
	}
}

func TestErrorsKeepTheirCause(t *testing.T) {
	t.Parallel()
	errBroken := errors.New("broken")
	if !errors.Is(RetryAfter(time.Second, errBroken), errBroken) || !errors.Is(Reject(errBroken), errBroken) {
		t.Error("the cause is lost")
	}
}
