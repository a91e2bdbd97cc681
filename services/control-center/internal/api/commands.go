package api

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/api/openapi"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/problem"
	"github.com/rollcall-hq/rollcall/services/internal/command"
)

// lookAgain is when to look what has become of a command that no worker has answered in time.
const lookAgain = 2 * time.Second

// order gives a command and waits a while for what becomes of it. A refusal is an error; one that nobody has answered yet is
// pending.
func (a *API) order(ctx context.Context, tenantID, key string, data any) (openapi.Command, error) {
	sent, err := a.commands.Send(ctx, tenantID, key, data)
	if err != nil {
		return openapi.Command{}, err
	}
	told := openapi.Command{ID: commandID(tenantID, sent.ID), State: openapi.CommandStateDone}
	waiting, cancel := context.WithTimeout(ctx, a.cfg.Patience)
	defer cancel()
	answer, err := a.commands.Wait(waiting, sent)
	switch {
	case errors.Is(err, command.ErrNoAnswer):
		told.State = openapi.CommandStatePending
		return told, nil
	case err != nil:
		return openapi.Command{}, err
	}
	told.Revision = answer.Revision
	return told, nil
}

// commandID is the id of a command's event without the tenant, which stands in the path.
func commandID(tenantID, id string) string { return strings.TrimPrefix(id, tenantID+".") }

func accepted(tenantID string, told openapi.Command) openapi.AcceptedJSONResponse {
	return openapi.AcceptedJSONResponse{Body: told, Headers: openapi.AcceptedResponseHeaders{
		Location: "/api/v1/tenants/" + tenantID + "/commands/" + told.ID, RetryAfter: int(lookAgain / time.Second),
	}}
}

// verbs are those of the commands that the API gives, and whose answers are event.Answered.
var verbs = []string{event.VerbApprove, event.VerbReject, event.VerbSeats, event.VerbSettings, event.VerbActivation, event.VerbDisconnect, event.VerbErase}

// GetCommand tells what has become of a command.
func (a *API) GetCommand(ctx context.Context, r openapi.GetCommandRequestObject) (openapi.GetCommandResponseObject, error) {
	if _, err := a.tenant(ctx, r.Tenant); err != nil {
		return nil, err
	}
	verb, key, _ := strings.Cut(r.Command, ".")
	if !slices.Contains(verbs, verb) || !command.ValidKey(key) {
		return nil, problem.New(problem.NoSuchCommand, "")
	}
	told, err := a.find(ctx, r.Tenant, verb, r.Command)
	if err != nil {
		return nil, err
	}
	return openapi.GetCommand200JSONResponse{Body: told}, nil
}

// find reads LEDGER_IN for a command and its answer. A tenant's commands are few.
func (a *API) find(ctx context.Context, tenantID, verb, id string) (told openapi.Command, err error) {
	full := tenantID + "." + id
	err = a.deps.Bus.Read(ctx, bus.ReadSpec{
		Stream: bus.LedgerIn, Filters: []string{"command.*." + tenantID + "." + verb, "command.*." + tenantID + "." + event.VerbAnswered},
	}, func(m bus.Message) error {
		switch {
		case m.Fault != nil:
			return nil
		case m.Event.ID() == full && told.ID == "":
			told = openapi.Command{ID: id, State: openapi.CommandStatePending, At: m.Event.Time()}
			return nil
		case m.Event.Type() != event.TypeAnswered || event.Cause(m.Event) != full || told.ID == "":
			return nil
		}
		answer, err := event.Data[event.Answered](m.Event)
		if err != nil {
			return err
		}
		told.State, told.Revision = openapi.CommandStateDone, answer.Revision
		if answer.Outcome != event.OutcomeDone {
			told.State, told.Problem = openapi.CommandStateRefused, problemOf(problem.OfRefusal(answer))
		}
		return nil
	})
	if err == nil && told.ID == "" {
		err = problem.New(problem.NoSuchCommand, "")
	}
	return told, err
}

func problemOf(of *problem.Problem) openapi.Problem {
	p := of.Told()
	out := openapi.Problem{Type: p.Type, Title: p.Title, Status: p.Status, Code: string(p.Code), Detail: p.Detail, Revision: p.Revision}
	for _, f := range p.Faults {
		out.Faults = append(out.Faults, openapi.Fault{Where: f.Where, Message: f.Message})
	}
	for _, c := range p.Changes {
		out.Changes = append(out.Changes, openapi.HeldLineChange{User: c.User, Listed: c.Listed, WouldBeLicensed: c.Would, WouldBeReason: c.Reason})
	}
	return out
}
