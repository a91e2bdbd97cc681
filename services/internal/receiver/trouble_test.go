package receiver_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

// answer is a provider's error over HTTP.
type answer struct{ status int }

func (a answer) Error() string             { return fmt.Sprint("answers ", a.status) }
func (a answer) Trouble() receiver.Trouble { return receiver.TroubleOfStatus(a.status) }

func TestTroubleOfErrors(t *testing.T) {
	t.Parallel()
	refused := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	for name, c := range map[string]struct {
		err  error
		want receiver.Trouble
	}{
		"none":                        {nil, receiver.NoTrouble},
		"our own":                     {errors.New("NATS is away"), receiver.NoTrouble},
		"our own network's":           {refused, receiver.NoTrouble},
		"our own time that ran out":   {context.DeadlineExceeded, receiver.NoTrouble},
		"the provider's network":      {fmt.Errorf("read: %w", receiver.OfRequest(refused)), receiver.Unreachable},
		"a provider that is too slow": {receiver.OfRequest(fmt.Errorf("read: %w", context.DeadlineExceeded)), receiver.Unreachable},
		"what nobody understands":     {receiver.OfRequest(errors.New("no JSON")), receiver.Failing},
		"a token that is refused":     {answer{http.StatusUnauthorized}, receiver.SignIn},
		"what may not be done":        {fmt.Errorf("read: %w", receiver.OfRequest(answer{http.StatusForbidden})), receiver.Consent},
		"what is not there":           {answer{http.StatusNotFound}, receiver.Failing},
		"a gateway's":                 {answer{http.StatusBadGateway}, receiver.Unreachable},
		"throttled":                   {fmt.Errorf("%w: %w", answer{http.StatusForbidden}, receiver.ErrThrottled{After: time.Second}), receiver.Throttled},
		"over the quota":              {fmt.Errorf("%w: %w", answer{http.StatusForbidden}, receiver.ErrQuota), receiver.Quota},
		"the first of several":        {errors.Join(errors.New("ours"), answer{http.StatusForbidden}, answer{http.StatusUnauthorized}), receiver.Consent},
	} {
		if got := receiver.TroubleOf(c.err); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if err := receiver.OfRequest(nil); err != nil {
		t.Errorf("no error becomes %v", err)
	}
	if err := receiver.OfRequest(receiver.ErrNoGroup); !errors.Is(err, receiver.ErrNoGroup) || err.Error() != receiver.ErrNoGroup.Error() {
		t.Errorf("it becomes %v", err)
	}
}
