package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/answer"
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
func explainAt(ctx context.Context, r decisions, s *subject, at time.Time) (explainedAt, error) {
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
	periods, err := r.Periods(ctx, s.tenant, user, p.ID)
	if err != nil {
		return e, err
	}
	e.fill(periods)
	return e, r.Behind(ctx, &e)
}

func (e *explainedAt) fill(periods []period) {
	var since time.Time
	var held *period
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
		return
	}
	e.Licensed, e.Reason, e.Since, e.From = held.Licensed, held.Reason, &since, &held.From
	e.Cause, e.Sequence, e.To, e.Path = held.Cause, held.Sequence, held.To, held.Path
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
