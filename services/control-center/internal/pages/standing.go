package pages

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/answer"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// standing is where the tenant stands; of one that the ledger has not heard of, nothing stands in the way.
func (p *Pages) standing(ctx context.Context, s *scope) (*answer.Standing, error) {
	if !s.Known {
		return &answer.Standing{}, nil
	}
	return answer.StandingIn(ctx, p.deps.Ledger, s.State.Tenant)
}

// standingNotices say loudly what somebody must know who looks at a tenant or one of its users.
func (s *scope) standingNotices(st *answer.Standing) (all []notice) {
	day := func(t time.Time) string { return momentOf(t).Text }
	settings := link{s.Path() + "/settings", "To the settings"}
	if st.Disconnected {
		all = append(all, notice{
			Kind: "bad", Title: "This tenant is disconnected",
			Text: "Its directory is not followed, and its licenses are " + st.Licenses + ".", To: "Have an operator connect it again.",
		})
	}
	if d := st.Degraded; d != nil {
		all = append(all, notice{
			Kind: "bad", Title: "The directory is not followed as it should be (" + d.Class + ")",
			Text: fmt.Sprintf("Since %s: %s", day(d.Since), sentence(d.Detail)), To: sentence(d.Action),
			Link: link{s.Path() + "/connections", "To the connection"},
		})
	}
	if c := st.Credential; c.EndsSoon() {
		all = append(all, notice{
			Kind: "warn", Title: "The credential for the directory ends on " + c.Expires.UTC().Format("2 January 2006"),
			Text: sentence(c.Detail) + " Then the directory can be read no more; licenses stand as they are.", To: sentence(c.Action),
			Link: link{s.Path() + "/connections", "To the connection"},
		})
	}
	if st.Frozen {
		all = append(all, notice{
			Kind: "info", Title: "This tenant is frozen",
			Text: "Nobody loses a license until it is thawed. Whoever would is put on a list instead.", Link: settings,
		})
	}
	if st.Paused {
		all = append(all, notice{
			Kind: "warn", Title: "This tenant is paused",
			Text: "What the directory shows is taken, and nothing is decided from it until the tenant goes on.", Link: settings,
		})
	}
	if st.Restoring {
		all = append(all, notice{
			Kind: "info", Title: "The mirror is being restored",
			Text: "Licenses stay as they are until the directory has been read completely.",
		})
	}
	if !st.StaleSince.IsZero() {
		all = append(all, notice{
			Kind: "warn", Title: "Something of what the directory said was lost",
			Text: "Since " + day(st.StaleSince) + ". A complete read is ordered and makes up for it.",
		})
	}
	return all
}

// heldCard announces a held change.
type heldCard struct {
	Ref, Path, Title, Text string
	Waits                  bool   // for somebody
	Expires                string // in words; empty: not
}

// heldCards are those of a tenant that have not ended.
func (p *Pages) heldCards(ctx context.Context, s *scope) (cards []heldCard, err error) {
	if !s.Known {
		return nil, nil
	}
	all, err := p.deps.Ledger.HeldChanges(ctx, s.Tenant.ID, false)
	for _, h := range all {
		c := heldCard{Ref: h.Ref, Path: s.heldPath(h), Waits: h.State == ledger.HeldOpen}
		c.Title, c.Text = s.heldTitle(h), heldEffect(h)
		switch h.State {
		case ledger.HeldListing:
			c.Title, c.Text, c.Path = c.Title+" is about to be held", "Its list is being made.", s.Path()
		case ledger.HeldApproved:
			c.Title, c.Text = c.Title+" is being carried out", fmt.Sprintf("%s of %s users are decided.", number(h.Applied), number(h.All))
		case ledger.HeldOpen:
			c.Title += " waits for somebody"
			if h.Kind != ledger.HeldFreeze && !h.ExpiresAt.IsZero() {
				c.Expires = p.untilOf(h.ExpiresAt)
			}
		}
		cards = append(cards, c)
	}
	return cards, err
}

func (s *scope) heldPath(h ledger.HeldChange) string {
	return s.Path() + "/held/" + h.Ref + "?product=" + h.ProductID
}

// heldTitle says in one line what is parked.
func (s *scope) heldTitle(h ledger.HeldChange) string {
	product := s.Product(h.ProductID)
	switch h.Kind {
	case ledger.HeldFlip:
		if h.Group == "" {
			return "Licensing every user for " + product
		}
		return "Licensing only the members of a group for " + product
	case ledger.HeldRevocations:
		return "Revoking many licenses of " + product
	case ledger.HeldRefresh:
		return "What a previewed refresh has found for " + product
	case ledger.HeldFreeze:
		return "What is not revoked of " + product + " while the tenant is frozen"
	}
	return "A change of " + product
}

// heldEffect says what would become of licenses.
func heldEffect(h ledger.HeldChange) string {
	return fmt.Sprintf("%s would be granted and %s revoked; %s hold one now.",
		count(h.Grants, "license", "licenses"), number(h.Revocations), number(h.Licensed))
}
