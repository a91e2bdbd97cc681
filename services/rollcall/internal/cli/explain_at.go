package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/answer"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// explainedAt is what held of one user and product at a moment.
type explainedAt struct {
	Tenant   string        `json:"tenant"`
	Product  string        `json:"product"`
	User     string        `json:"user"`
	Name     string        `json:"name,omitempty"` // now
	At       time.Time     `json:"at"`
	Licensed bool          `json:"licensed"`
	Reason   string        `json:"reason,omitempty"` // empty: nothing had ever been decided
	Since    *time.Time    `json:"since,omitempty"`  // since when licensed had that value
	From     *time.Time    `json:"from,omitempty"`   // of the period, which has one reason
	To       *time.Time    `json:"to,omitempty"`     // absent: still so
	Path     []answer.Step `json:"path,omitempty"`
	Mode     string        `json:"mode,omitempty"` // that was in force
	Group    string        `json:"group,omitempty"`
	Cause    string        `json:"cause,omitempty"`
	Chain    []link        `json:"chain,omitempty"` // from the cause down to what started it
	Sequence uint64        `json:"sequence,omitempty"`
}

// explainAt looks up the period of a moment: the last one that had begun.
func explainAt(ctx context.Context, r *ledger.Reader, s *subject, at time.Time) (explainedAt, error) {
	t, err := r.Tenant(ctx, s.tenant)
	if err != nil {
		return explainedAt{}, err
	}
	p, err := s.find(t)
	if err != nil {
		return explainedAt{}, err
	}
	user, err := r.FindUser(ctx, s.tenant, s.user)
	if err != nil {
		return explainedAt{}, err
	}
	e := explainedAt{Tenant: s.tenant, Product: p.ID, User: user.ID, Name: user.Name, At: at.UTC()}
	if policy, found, err := r.PolicyAt(ctx, s.tenant, p.ID, at); err != nil {
		return e, err
	} else if found {
		e.Mode, e.Group = policy.Mode, policy.Group
	}
	periods, err := r.History(ctx, user, p.ID)
	if err != nil {
		return e, err
	}
	return e, e.fill(ctx, r, periods)
}

func (e *explainedAt) fill(ctx context.Context, r *ledger.Reader, periods []ledger.Period) (err error) {
	var since time.Time
	var held *ledger.Period
	for _, p := range periods {
		if p.From.After(e.At) {
			break
		}
		if held == nil || held.Licensed != p.Licensed {
			since = p.From
		}
		held = &p
	}
	if held == nil {
		return nil
	}
	e.Licensed, e.Reason, e.Since, e.From = held.Licensed, held.Reason, &since, &held.From
	e.Cause, e.Sequence = held.Cause, held.Sequence
	if !held.To.IsZero() {
		e.To = &held.To
	}
	if e.Path, err = answer.Steps(ctx, r, e.Tenant, held.Path); err != nil {
		return err
	}
	chains, err := r.Chains(ctx, e.Tenant)
	if err != nil {
		return err
	}
	e.Chain, err = chainOf(ctx, chains, held.Cause)
	return err
}

func describeAt(e explainedAt) string {
	var b strings.Builder
	who := defaultTo(e.Name, e.User)
	switch {
	case e.Reason == "":
		_, _ = fmt.Fprintf(&b, "At %s nothing had been decided yet about %s and %s: not licensed.\n", local(e.At), who, e.Product)
	case e.Licensed:
		_, _ = fmt.Fprintf(&b, "At %s %s was licensed for %s: %s.\n", local(e.At), who, e.Product, reasonText(e.Reason, e.Path))
	default:
		_, _ = fmt.Fprintf(&b, "At %s %s was not licensed for %s: %s.\n", local(e.At), who, e.Product, e.Reason)
	}
	b.WriteString("\n")
	line := func(name, value string) { writeLine(&b, name, value) }
	line("user", e.User)
	line("in force", policyText(e.Mode, e.Group, ""))
	if e.From == nil {
		return b.String()
	}
	to := "now"
	if e.To != nil {
		to = local(*e.To)
	}
	line("so since", local(*e.Since))
	line("for that reason", local(*e.From)+" to "+to)
	line("path", answer.PathText(e.Path))
	line("caused by", chainText(e.Chain))
	for _, l := range e.Chain {
		at := ""
		if !l.At.IsZero() {
			at = local(l.At) + "  "
		}
		_, _ = fmt.Fprintf(&b, "%-20s %s%s\n", "", at, l.Event)
	}
	line("sequence", fmt.Sprint(e.Sequence))
	return b.String()
}
