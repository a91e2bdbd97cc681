package pages

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/channels"
	"github.com/rollcall-hq/rollcall/services/internal/answer"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// overview is the state of a tenant at a glance.
type overview struct {
	Syncing       bool // there is no complete snapshot yet
	Users, Groups int
	AsOf          time.Time
	SnapshotAt    time.Time
	Products      []productCard
	Held          []heldCard
	Connection    badge
	Channels      channels.Sum
	NoChannels    bool // how they stand cannot be told now
}

// productCard is one product of the tenant.
type productCard struct {
	ID, Name  string
	Mode      badge
	Licensed  int
	Purchased int // licensing.Unlimited where it is not known
	Scale     int // of the meter
	Over      int
	Enforce   bool
	Waiting   int    // in line
	Says      string // who is licensed
	Also      []remark
}

// remark is something that is so besides.
type remark struct {
	Badge badge
	Text  string
}

func (p *Pages) overview(w http.ResponseWriter, r *http.Request, s *scope) error {
	st, err := p.standing(r.Context(), s)
	if err != nil {
		return err
	}
	o := overview{
		Syncing: !s.Known || !s.State.Ready(),
		AsOf:    answer.AsOf(s.State), SnapshotAt: s.State.SnapshotAt, Connection: connectionBadge(s, st),
	}
	if o.Users, o.Groups, err = p.counts.of(r.Context(), s); err != nil {
		return err
	}
	if o.Held, err = p.heldCards(r.Context(), s); err != nil {
		return err
	}
	if o.Products, err = p.productCards(r.Context(), s); err != nil {
		return err
	}
	all, err := p.deps.Channels.Of(r.Context(), s.Tenant.ID)
	o.Channels = channels.SumOf(all)
	if err != nil { // no reason to say nothing at all
		o.NoChannels = true
		p.deps.Logger.WarnContext(r.Context(), "a page cannot tell of push channels", "tenant", s.Tenant.ID, "error", err)
	}
	return p.show(w, r, http.StatusOK, "overview", frame{
		Title: "Overview", Section: "overview", Scope: s, Notices: s.standingNotices(st), Body: o,
	})
}

func connectionBadge(s *scope, st *answer.Standing) badge {
	switch {
	case st.Disconnected:
		return badge{"bad", "x", "Disconnected"}
	case st.Degraded != nil:
		return badge{"bad", "stop", "Degraded"}
	case !s.Known || !s.State.Ready():
		return badge{"info", "refresh", "First sync"}
	}
	return badge{"good", "check", "Working"}
}

// productCards are the products that the tenant has; of one that the ledger has not heard of there is only the name.
func (p *Pages) productCards(ctx context.Context, s *scope) (cards []productCard, err error) {
	for _, state := range s.State.Products {
		if state.Address == "" || !s.State.Ready() { // no longer the tenant's, or nothing can be said yet
			continue
		}
		c := productCard{
			ID: state.ID, Name: s.Product(state.ID), Licensed: state.Licensed, Purchased: state.Seats.Purchased, Enforce: state.Seats.Enforce,
			Mode: modeBadge(state), Says: modeSays(state), Also: changeRemarks(state), Scale: max(state.Licensed, state.Seats.Purchased),
		}
		if state.Seats.Exceeded(state.Licensed) {
			c.Over = state.Licensed - state.Seats.Purchased
		}
		if c.Enforce {
			if _, c.Waiting, err = p.deps.Ledger.Line(ctx, s.Tenant.ID, state.ID, 0, 1); err != nil {
				return nil, err
			}
		}
		cards = append(cards, c)
	}
	return cards, nil
}

func modeBadge(p ledger.ProductState) badge {
	switch {
	case p.State.Phase != licensing.InForce:
		return badge{"info", "clock", "Not decided yet"}
	case p.State.Policy.Mode == licensing.GroupMembers:
		return badge{"info", "people", "Group members"}
	}
	return badge{"info", "people", "All users"}
}

// modeSays is the mode as a sentence.
func modeSays(p ledger.ProductState) string {
	switch {
	case p.State.Phase != licensing.InForce:
		return "Which group counts, or who is in it, cannot be told yet."
	case p.State.Policy.Mode == licensing.GroupMembers:
		name := p.GroupName
		if name == "" {
			name = p.State.Policy.Group
		}
		return fmt.Sprintf("Members of the group “%s” are licensed (%s).", name, p.Address)
	}
	return fmt.Sprintf("Every active user is licensed. A group %s would limit that to its members.", p.Address)
}

// changeRemarks say what is about to change, or should and cannot.
func changeRemarks(p ledger.ProductState) (all []remark) {
	if p.State.Conflict {
		all = append(all, remark{
			badge{"bad", "warn", "Conflict"},
			"Several groups have the address " + p.Address + ": nothing changes until there is one. Take it from all others.",
		})
	}
	if c := p.State.Change; c != nil {
		says := "Another group was found at " + p.Address
		if c.Group == "" {
			says = "No group has the address " + p.Address + " any more"
		}
		switch {
		case c.Empty:
			says += ". It has no member yet, and counts for nothing until it has."
		case c.Stage == licensing.Rejected:
			says += ". Somebody has rejected it; it rests until the group changes."
		case c.Stage == licensing.Proposed:
			says += ", and has settled."
		default:
			says += ". It must be still for a while first, until " + momentOf(c.SettleAt).Text + " at the earliest."
		}
		all = append(all, remark{badge{"warn", "clock", "A change of mode"}, says})
	}
	if p.Redeciding {
		all = append(all, remark{badge{"info", "refresh", "Being applied"}, "A change of policy is being applied to all users."})
	}
	return all
}
