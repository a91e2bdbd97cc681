package problem

import (
	"context"
	"errors"
	"net/http"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/answer"
	"github.com/rollcall-hq/rollcall/services/internal/command"
	"github.com/rollcall-hq/rollcall/services/internal/connect"
	"github.com/rollcall-hq/rollcall/services/internal/erase"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/search"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// sentinels are the codes of errors that other packages name. What an error says beyond that is not for callers.
var sentinels = []struct {
	err  error
	code Code
}{
	{tenant.ErrNotFound, NoSuchTenant},
	{ledger.ErrNoTenant, NoSuchTenant},
	{ledger.ErrNoProduct, NoSuchProduct},
	{ledger.ErrNoUser, NoSuchUser},
	{ledger.ErrManyUser, SeveralUsers},
	{ledger.ErrNoGroup, NoSuchGroup},
	{ledger.ErrNoHeld, NoSuchHeld},
	{ledger.ErrNoPage, InvalidCursor},
	{erase.ErrConnected, NotDisconnected},
	{tenant.ErrNoProduct, NoSuchProduct},
	{tenant.ErrNoProducts, LastProduct},
	{connect.ErrNoTenant, NoSuchTenant},
	{connect.ErrInvalid, InvalidRequest},
	{connect.ErrExists, TenantExists},
	{connect.ErrAnother, TenantExists},
	{connect.ErrTaken, DirectoryTaken},
	{connect.ErrNotProved, NotProved},
	{connect.ErrNoApplication, NoApplication},
	{connect.ErrNoReceiver, NoReceiver},
	{connect.ErrFailed, NoReceiver},
	{answer.ErrNotRead, NotReadYet},
	{command.ErrKeyUsed, KeyUsed},
	{command.ErrNoAnswer, Unavailable},
	{bus.ErrUnavailable, Unavailable},
	{ledger.ErrNoLedger, Unavailable},
	{context.DeadlineExceeded, Unavailable},
	{context.Canceled, Unavailable},
}

// Of says what an error is told as. One that nobody has thought of is Internal, without a word of what it says.
func Of(err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	if refused, ok := errors.AsType[*command.Refused](err); ok {
		return OfRefusal(refused.Answer)
	}
	if e, ok := errors.AsType[*search.Error](err); ok {
		return New(InvalidSearch, e.Error())
	}
	if errors.Is(err, answer.ErrWhichProduct) {
		p := New(InvalidRequest, "")
		p.Faults = []Fault{{Where: "query:product", Message: "the tenant has several: name one"}}
		return p
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return New(TooLarge, "")
	}
	for _, s := range sentinels {
		if errors.Is(err, s.err) {
			return New(s.code, "")
		}
	}
	return New(Internal, "")
}

// refusals are the codes of what the worker refuses.
var refusals = map[string]Code{
	event.CodeNoSuchHeld:      NoSuchHeld,
	event.CodeNotOpen:         HeldNotOpen,
	event.CodeRevision:        HeldChanged,
	event.CodeListing:         HeldListing,
	event.CodeBadRequest:      Refused,
	event.CodeNotDisconnected: NotDisconnected,
	event.CodeFrozen:          TenantFrozen,
}

// OfRefusal says what a worker's refusal is told as.
func OfRefusal(a event.Answered) *Problem {
	code, known := refusals[a.Code]
	if !known {
		code = Refused
	}
	p := New(code, a.Message)
	if code == HeldChanged {
		p.Revision = a.Revision
		for _, c := range a.Changes {
			p.Changes = append(p.Changes, Change{User: c.User, Listed: c.Listed, Would: c.Licensed, Reason: c.Reason})
		}
	}
	return p
}
