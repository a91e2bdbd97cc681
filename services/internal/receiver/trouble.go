package receiver

import (
	"context"
	"errors"
	"net"
	"net/http"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

// Trouble says what keeps a tenant's directory from being followed as it should be.
type Trouble string

// The troubles, see event.Degraded.
const (
	NoTrouble   Trouble = ""
	SignIn      Trouble = event.ClassSignIn
	Consent     Trouble = event.ClassConsent
	Unreachable Trouble = event.ClassUnreachable
	Throttled   Trouble = event.ClassThrottled
	Failing     Trouble = event.ClassFailing
	Quota       Trouble = event.ClassQuota
	Silent      Trouble = event.ClassSilent
)

// Troubling is a provider's error that knows what it means for the whole connection.
type Troubling interface {
	error
	Trouble() Trouble
}

// ErrQuota says that the provider grants no push channel more.
var ErrQuota = errors.New("the provider grants no push channel more")

// OfRequest marks what came of a request to the provider, so that its failure is told from one of our own side.
func OfRequest(err error) error {
	if err == nil {
		return nil
	}
	return requestError{err}
}

type requestError struct{ error }

func (e requestError) Unwrap() error { return e.error }

// TroubleOfStatus says what an answer over HTTP means that is no success.
func TroubleOfStatus(status int) Trouble {
	switch {
	case status == http.StatusUnauthorized:
		return SignIn
	case status == http.StatusForbidden:
		return Consent
	case status >= http.StatusInternalServerError:
		return Unreachable
	}
	return Failing
}

// TroubleOf says what an error means for the connection: NoTrouble where it is none of the provider's.
func TroubleOf(err error) Trouble {
	if err == nil {
		return NoTrouble
	}
	if _, throttled := errors.AsType[ErrThrottled](err); throttled {
		return Throttled
	}
	if errors.Is(err, ErrQuota) {
		return Quota
	}
	if known, ok := errors.AsType[Troubling](err); ok {
		return known.Trouble()
	}
	if _, ours := errors.AsType[requestError](err); !ours {
		return NoTrouble
	}
	if _, network := errors.AsType[net.Error](err); network || errors.Is(err, context.DeadlineExceeded) {
		return Unreachable
	}
	return Failing
}
