package license

import (
	"errors"
	"fmt"
	"time"
)

var (
	// ErrGap matches a GapError.
	ErrGap = errors.New("license events are missing")
	// ErrExpired matches an ExpiredError.
	ErrExpired = errors.New("license events have expired")
	// ErrAhead says that reading was to begin behind what the next event will be: the position is of another stream, or
	// events were lost. Waiting there would pass over events in silence.
	ErrAhead = errors.New("the position is ahead of the license events")
)

// GapError says that a source's sequence did not rise by exactly one.
type GapError struct {
	Tenant, Product string
	After           uint64 // the last sequence that was read
	Got             uint64 // the one that came next
}

func (e *GapError) Error() string {
	return fmt.Sprintf("%v: %d came after %d for tenant %s, product %s", ErrGap, e.Got, e.After, e.Tenant, e.Product)
}

// Is makes errors.Is(err, ErrGap) true.
func (e *GapError) Is(target error) bool { return target == ErrGap }

// ExpiredError says that what was asked for is older than what LICENSES still holds. Fields that do not apply are zero;
// all are zero where nothing is left.
type ExpiredError struct {
	Asked                string // in words
	OldestSequence       uint64 // of the source that was asked for
	OldestStreamSequence uint64
	OldestTime           time.Time
}

func (e *ExpiredError) Error() string {
	oldest := "nothing is kept any more"
	switch {
	case e.OldestSequence > 0:
		oldest = fmt.Sprintf("the oldest is sequence %d of %s", e.OldestSequence, e.OldestTime.UTC().Format(time.RFC3339))
	case e.OldestStreamSequence > 0:
		oldest = fmt.Sprintf("the oldest is stream sequence %d of %s", e.OldestStreamSequence, e.OldestTime.UTC().Format(time.RFC3339))
	}
	return fmt.Sprintf("%v: asked for %s, %s", ErrExpired, e.Asked, oldest)
}

// Is makes errors.Is(err, ErrExpired) true.
func (e *ExpiredError) Is(target error) bool { return target == ErrExpired }
