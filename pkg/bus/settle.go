package bus

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// RetryAfter is returned by a handler that cannot do its work yet, through no fault of the message: it comes again after
// d, however often, and does not count towards giving up.
func RetryAfter(d time.Duration, err error) error { return &retryError{after: d, cause: err} }

// Reject is returned by a handler that will never be able to use the message: it becomes a dead letter now.
func Reject(err error) error { return &rejectError{cause: err} }

type retryError struct {
	after time.Duration
	cause error
}

func (e *retryError) Error() string { return fmt.Sprintf("retry after %v: %v", e.after, e.cause) }
func (e *retryError) Unwrap() error { return e.cause }

type rejectError struct{ cause error }

func (e *rejectError) Error() string { return fmt.Sprintf("rejected: %v", e.cause) }
func (e *rejectError) Unwrap() error { return e.cause }

// Outcome is what became of one delivery of a message.
type Outcome string

// The outcomes.
const (
	Acked        Outcome = "acked"
	Retried      Outcome = "retried"
	DeadLettered Outcome = "dead-lettered"
)

// Settled tells an observer about one delivery.
type Settled struct {
	Stream, Consumer string
	Type             string // of the event; empty for what is none
	Outcome          Outcome
	Deliveries       uint64
	Waited           time.Duration // from when the message was stored to when the handler got it
	Took             time.Duration // in the handler
	Err              error         // what the handler said
}

// verdict is what to do with a delivery. A retry that counts brings a bounded message nearer to its dead letter.
type verdict struct {
	outcome Outcome
	delay   time.Duration // of a retry
	counts  bool
}

// decide is the one place where a handler's answer becomes an acknowledgement. failures is how many counted failures the
// message has had before this one; stopping says that the consumer was told to end while the handler ran.
func decide(err error, c Consumer, failures int, stopping bool) verdict {
	var retry *retryError
	var reject *rejectError
	switch {
	case err == nil:
		return verdict{outcome: Acked}
	case errors.As(err, &reject):
		return verdict{outcome: DeadLettered}
	case errors.As(err, &retry):
		return verdict{outcome: Retried, delay: retry.after}
	case stopping && errors.Is(err, context.Canceled):
		return verdict{outcome: Retried} // we broke it off ourselves
	case c.Attempts > 0 && failures+1 >= c.Attempts:
		return verdict{outcome: DeadLettered}
	}
	return verdict{outcome: Retried, delay: c.retryDelay(failures), counts: true}
}

// failureCount counts the failures of the message in hand. One is in flight and it comes again until it is settled, so a
// single number is enough. The server's count of deliveries would not do: it also counts what handlers postponed and what
// a shutdown or a lost connection broke off. It starts anew with the process, so that a restart never gives up a message
// early.
type failureCount struct {
	sequence uint64
	failures int
}

func (f *failureCount) of(sequence uint64) int {
	if f.sequence != sequence {
		*f = failureCount{sequence: sequence}
	}
	return f.failures
}
