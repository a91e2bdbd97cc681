package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/answer"
	"github.com/rollcall-hq/rollcall/services/internal/apiclient"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// Decide answers for one user. That there is no such user, or that there are several, is an answer too.
func (r *remote) Decide(ctx context.Context, q answer.Question) (answer.Decision, ledger.UserState, error) {
	t, err := apiclient.Read[apiclient.Tenant](r.api.GetTenant(ctx, q.Tenant, nil))
	if err != nil {
		return answer.Decision{}, ledger.UserState{}, err
	}
	if !t.ReadCompletely {
		return answer.Decision{}, ledger.UserState{}, fmt.Errorf("tenant %s: %w (%s)", q.Tenant, answer.ErrNotRead, apiclient.CodeNotReadYet)
	}
	p, err := answer.Product(stateOf(t), q.Product)
	if err != nil {
		return answer.Decision{}, ledger.UserState{}, err
	}
	d := answer.Decision{
		Tenant: t.ID, Product: p.ID, Mode: p.State.Policy.Mode, Group: p.Address, AsOf: t.AsOf, Standing: standingFrom(t.Standing),
	}
	u, err := apiclient.Read[apiclient.UserDetail](r.api.GetUser(ctx, q.Tenant, q.User, nil))
	switch {
	case isProblem(err, apiclient.CodeNoSuchUser):
		return d.Unfound(answer.NoSuchUser, q), ledger.UserState{}, nil
	case isProblem(err, apiclient.CodeSeveralUsers):
		return d.Unfound(answer.ManyUsers, q), ledger.UserState{}, nil
	case err != nil:
		return d, ledger.UserState{}, err
	}
	i := slices.IndexFunc(u.Decisions, func(d apiclient.Decision) bool { return d.Product == p.ID })
	if i < 0 {
		return d, ledger.UserState{}, fmt.Errorf("the server tells no decision of %s", p.ID)
	}
	return decisionFrom(d, u, u.Decisions[i]), userOf(u), nil
}

func decisionFrom(d answer.Decision, u apiclient.UserDetail, told apiclient.Decision) answer.Decision {
	d.User, d.Name, d.Status, d.AsOf, d.Standing = u.ID, u.Name, directory.Status(u.Status), u.AsOf, standingFrom(u.Standing)
	d.Active = licensing.User{Status: d.Status, Guest: u.Guest}.Active()
	d.Licensed, d.Reason, d.Why, d.Mode, d.Group = told.Licensed, told.Reason, told.Why, licensing.Mode(told.Mode), told.GroupAddress
	d.Path, d.Parked, d.Removed = stepsFrom(told.Path), parkedFrom(told.Parked), told.Removed
	if !told.Since.IsZero() {
		d.Since = &told.Since
	}
	return d
}

func userOf(u apiclient.UserDetail) ledger.UserState {
	return ledger.UserState{User: directory.User{
		ID: u.ID, Name: u.Name, Addresses: u.Addresses, Status: directory.Status(u.Status), Guest: u.Guest,
	}}
}

func stepsFrom(path []apiclient.Step) (steps []answer.Step) {
	for _, s := range path {
		steps = append(steps, answer.Step{ID: s.ID, Name: s.Name})
	}
	return steps
}

func parkedFrom(p apiclient.Parked) *answer.Parked {
	out := &answer.Parked{Against: p.Against}
	if p.Waiting.InLine > 0 {
		out.Waiting = &answer.InLine{Place: p.Waiting.Place, InLine: p.Waiting.InLine}
	}
	for _, h := range p.Held {
		out.Held = append(out.Held, answer.ParkedBy{
			Held: h.Held, Kind: string(h.Kind), Would: h.WouldBeLicensed, Reason: h.WouldBeReason, Expires: h.Expires,
		})
	}
	if b := p.Rejected; b.Held != "" {
		out.Rejected = &answer.RejectedBy{Held: b.Held, Outcome: string(b.Outcome), By: b.By, At: b.At}
	}
	if out.Waiting == nil && out.Held == nil && out.Rejected == nil && out.Against == "" {
		return nil
	}
	return out
}

// FindUser tells of one user.
func (r *remote) FindUser(ctx context.Context, tenantID, ref string) (ledger.UserState, error) {
	u, err := apiclient.Read[apiclient.UserDetail](r.api.GetUser(ctx, tenantID, ref, nil))
	return userOf(u), err
}

// Periods are the times in which a decision held, the first one first.
func (r *remote) Periods(ctx context.Context, tenantID string, u ledger.UserState, product string) ([]period, error) {
	periods := []period{}
	err := paged(func(cursor string) (string, error) {
		page, err := apiclient.Read[apiclient.PeriodPage](r.api.ListUserHistory(ctx, tenantID, u.ID, &apiclient.ListUserHistoryParams{
			Product: new(product), Cursor: from(cursor), Limit: new(mostItems),
		}))
		for _, p := range page.Items {
			one := period{
				From: p.From, Licensed: p.Licensed, Reason: p.Reason, Path: stepsFrom(p.Path), Cause: p.Cause,
				Sequence: uint64(p.Sequence), //nolint:gosec // a sequence is no negative number
			}
			if !p.To.IsZero() {
				one.To = &p.To
			}
			periods = append(periods, one)
		}
		return page.NextCursor, err
	})
	slices.Reverse(periods)
	return periods, err
}

// Behind knows the cause alone.
func (r *remote) Behind(_ context.Context, e *explainedAt) error {
	r.note("which group was in force then, nor what had led to the cause")
	if e.Cause != "" {
		e.Chain = []link{{Event: e.Cause}}
	}
	return nil
}

// Licenses lists who is licensed, or was at a moment, by name.
func (r *remote) Licenses(ctx context.Context, tenantID, product string, at time.Time, each func(ledger.License) error) error {
	var asOf *time.Time // now
	if !at.IsZero() {
		asOf = &at
	}
	return paged(func(cursor string) (string, error) {
		page, err := apiclient.Read[apiclient.EntitlementPage](r.api.ListEntitlements(ctx, tenantID, product, &apiclient.ListEntitlementsParams{
			AsOf: asOf, Cursor: from(cursor), Limit: new(mostItems),
		}))
		for i := 0; err == nil && i < len(page.Items); i++ {
			err = each(licenseOf(page.Items[i]))
		}
		return page.NextCursor, err
	})
}

func licenseOf(e apiclient.Entitlement) ledger.License {
	l := ledger.License{
		User: e.User, Name: e.Name, Addresses: e.Addresses, Status: directory.Status(e.Status), Since: e.Since, From: e.Changed,
		Reason: e.Reason, Cause: e.Cause,
		Sequence: uint64(e.Sequence), //nolint:gosec // a sequence is no negative number
	}
	for _, s := range e.Path {
		l.Path = append(l.Path, ledger.PathGroup{ID: s.ID, Name: s.Name})
	}
	return l
}

// Line tells who waits for a seat, and how many do.
func (r *remote) Line(ctx context.Context, tenantID, product string, _ int64, limit int) (line []ledger.InLine, waiting int, err error) {
	err = paged(func(cursor string) (string, error) {
		page, err := apiclient.Read[apiclient.LinePage](r.api.ListSeatsLine(ctx, tenantID, product, &apiclient.ListSeatsLineParams{
			Cursor: from(cursor), Limit: new(max(1, min(limit-len(line), mostItems))),
		}))
		waiting = page.Waiting
		for _, l := range page.Items[:min(len(page.Items), limit-len(line))] {
			line = append(line, ledger.InLine{Place: l.Place, User: l.User, Name: l.Name, Addresses: l.Addresses})
		}
		if len(line) >= limit {
			return "", err
		}
		return page.NextCursor, err
	})
	return line, waiting, err
}
