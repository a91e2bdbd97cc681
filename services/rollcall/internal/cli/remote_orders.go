package cli

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/apiclient"
	"github.com/rollcall-hq/rollcall/services/internal/command"
)

// asksEvery is how often it is asked what has become of a command or a refresh.
const asksEvery = time.Second

// Order gives a command. It is under a key also where nobody has named one, so that no proxy on the way gives it twice.
func (r *remote) Order(ctx context.Context, g given, tenantID string, data any) (event.Answered, error) {
	ctx, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	told, err := r.give(ctx, cmp.Or(g.key, rand.Text()), tenantID, data)
	for err == nil && told.State == apiclient.CommandStatePending {
		if err = pause(ctx, asksEvery); err == nil {
			told, err = apiclient.Read[apiclient.Command](r.api.GetCommand(ctx, tenantID, told.ID, nil))
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = command.ErrNoAnswer
	}
	if err == nil && told.State == apiclient.CommandStateRefused {
		err = &apiclient.Error{Problem: told.Problem}
	}
	return event.Answered{Command: tenantID + "." + told.ID, Outcome: event.OutcomeDone, Revision: told.Revision}, waited(refusalFrom(err), g.timeout)
}

func (r *remote) give(ctx context.Context, key, tenantID string, data any) (apiclient.Command, error) {
	switch d := data.(type) {
	case event.ApproveRequested:
		return apiclient.Read[apiclient.Command](r.api.ApproveHeldChange(ctx, tenantID, d.Product, d.Held,
			&apiclient.ApproveHeldChangeParams{IdempotencyKey: new(key)}, apiclient.Approval{Revision: d.Revision}))
	case event.RejectRequested:
		return apiclient.Read[apiclient.Command](r.api.RejectHeldChange(ctx, tenantID, d.Product, d.Held,
			&apiclient.RejectHeldChangeParams{IdempotencyKey: new(key)}))
	case event.SeatsRequested:
		wanted, err := r.seatsWanted(ctx, tenantID, d)
		if err != nil {
			return apiclient.Command{}, err
		}
		return apiclient.Read[apiclient.Command](r.api.PutSeats(ctx, tenantID, d.Product, &apiclient.PutSeatsParams{IdempotencyKey: new(key)}, wanted))
	case event.SettingsRequested:
		return apiclient.Read[apiclient.Command](r.api.PatchSettings(ctx, tenantID, &apiclient.PatchSettingsParams{IdempotencyKey: new(key)}, settingsPatch(d)))
	}
	return apiclient.Command{}, fmt.Errorf("the API takes no %T", data)
}

// seatsWanted adds what is not named as it stands now: the API sets all at once.
func (r *remote) seatsWanted(ctx context.Context, tenantID string, d event.SeatsRequested) (apiclient.SeatsRequest, error) {
	var wanted apiclient.SeatsRequest
	if d.Purchased == nil || d.Enforce == nil {
		now, err := apiclient.Read[apiclient.Seats](r.api.GetSeats(ctx, tenantID, d.Product, nil))
		if err != nil {
			return wanted, fmt.Errorf("read how the seats stand: %w", err)
		}
		wanted = apiclient.SeatsRequest{Purchased: now.Purchased, Enforce: now.Enforce}
	}
	if d.Enforce != nil {
		wanted.Enforce = *d.Enforce
	}
	if d.Purchased != nil {
		wanted.Purchased = d.Purchased
		if *d.Purchased == event.SeatsNotSet {
			wanted.Purchased = nil
		}
	}
	return wanted, nil
}

// refusalFrom makes of an approval that came too late what the worker has answered to it.
func refusalFrom(err error) error {
	e, ok := errors.AsType[*apiclient.Error](err)
	if !ok || e.Code != apiclient.CodeHeldChanged {
		return err
	}
	answered := event.Answered{Outcome: event.OutcomeRefused, Code: event.CodeRevision, Message: e.Error(), Revision: e.Revision}
	for _, c := range e.Changes {
		answered.Changes = append(answered.Changes, event.HeldUser{User: c.User, Listed: c.Listed, Licensed: c.WouldBeLicensed, Reason: c.WouldBeReason})
	}
	return &command.Refused{Answer: answered}
}

// Refresh asks for a complete read.
func (r *remote) Refresh(ctx context.Context, g given, tenantID string, preview bool) (refreshing, error) {
	told, err := apiclient.Read[apiclient.Refresh](r.api.StartRefresh(ctx, tenantID,
		&apiclient.StartRefreshParams{IdempotencyKey: new(cmp.Or(g.key, rand.Text()))}, apiclient.RefreshRequest{Preview: preview}))
	if err != nil {
		return refreshing{}, err
	}
	id := event.CommandID(tenantID, command.VerbRefresh, told.ID)
	return refreshing{id: id, follow: func(ctx context.Context, p *progress) (event.RefreshCompleted, error) {
		for {
			p.read(told.Progress.Pages, told.Progress.Users, told.Progress.Groups, told.Progress.Memberships)
			switch told.State {
			case apiclient.RefreshStateComparing:
				p.compares()
			case apiclient.RefreshStateFailed:
				return event.RefreshCompleted{Snapshot: id, Error: told.Error}, nil
			case apiclient.RefreshStateDone:
				return completedFrom(id, told.Result), nil
			}
			if err := pause(ctx, asksEvery); err != nil {
				return event.RefreshCompleted{}, err
			}
			next, err := apiclient.Read[apiclient.Refresh](r.api.GetRefresh(ctx, tenantID, told.ID, nil))
			if err != nil {
				return event.RefreshCompleted{}, err
			}
			told = next
		}
	}}, nil
}

func completedFrom(id string, result apiclient.RefreshResult) event.RefreshCompleted {
	done := event.RefreshCompleted{
		Snapshot: id, Users: result.Users, Groups: result.Groups, Granted: result.Granted, Revoked: result.Revoked, Removed: result.Removed,
		Unproven: result.Unproven,
	}
	for _, h := range result.Holds {
		done.Holds = append(done.Holds, event.RefreshHold{
			Product: h.Product, Held: h.Held, Revision: h.Revision, Grants: h.Grants, Revocations: h.Revocations,
		})
	}
	return done
}

// pause waits a while, or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
