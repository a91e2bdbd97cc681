package answer

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// Parked is what stands between what the rules say of a user and what holds.
type Parked struct {
	Waiting  *InLine     `json:"waiting,omitempty"`
	Held     []ParkedBy  `json:"held,omitempty"` // held changes that wait and have the user on their lists
	Rejected *RejectedBy `json:"rejected,omitempty"`
	Against  string      `json:"against,omitempty"` // the reason of the revocation that is parked, or was rejected
}

// InLine is a place in the line of those who wait for a seat.
type InLine struct {
	Place  int64 `json:"place"`   // as it was given, and is never used again
	InLine int   `json:"in_line"` // 1 is next
}

// ParkedBy is a held change that has the user on its list.
type ParkedBy struct {
	Held    string    `json:"held"`
	Kind    string    `json:"kind"`
	Would   bool      `json:"would_be_licensed"`
	Reason  string    `json:"would_be_reason"`
	Expires time.Time `json:"expires,omitzero"`
}

// RejectedBy is the held change whose rejection, or expiry, is why a license stands.
type RejectedBy struct {
	Held    string    `json:"held"`
	Outcome string    `json:"outcome"`
	By      string    `json:"by,omitempty"`
	At      time.Time `json:"at"`
}

// parkedOf reads what is parked of the user; nil: nothing.
func parkedOf(ctx context.Context, r *ledger.Reader, u ledger.UserState, product string) (*Parked, error) {
	found, err := r.Parked(ctx, u, product)
	if err != nil {
		return nil, err
	}
	p := &Parked{Against: found.Against}
	if found.Waiting {
		p.Waiting = &InLine{Place: found.Place, InLine: found.InLine}
	}
	for _, h := range found.Held {
		p.Held = append(p.Held, ParkedBy{Held: h.Ref, Kind: string(h.Kind), Would: h.Would, Reason: h.WouldReason, Expires: h.ExpiresAt})
	}
	if h := found.Rejected; h != nil {
		p.Rejected = &RejectedBy{Held: h.Ref, Outcome: string(h.State), By: h.ClosedBy, At: h.ClosedAt}
	}
	if p.Waiting == nil && p.Held == nil && p.Rejected == nil && p.Against == "" {
		return nil, nil //nolint:nilnil // nothing is parked
	}
	return p, nil
}

// line says where in line the user waits.
func (p *Parked) line() string {
	if p == nil || p.Waiting == nil {
		return ""
	}
	if p.Waiting.InLine == 1 {
		return fmt.Sprintf(", and this user is the next to get one (place %d)", p.Waiting.Place)
	}
	return fmt.Sprintf(", and this user is number %d of those who wait for one (place %d)", p.Waiting.InLine, p.Waiting.Place)
}

// why says what has become of the revocation against which a license stands.
func (p *Parked) why() string {
	if p == nil {
		return " is parked"
	}
	for _, h := range p.Held {
		if !h.Would && h.Kind != string(ledger.HeldFlip) {
			return " is parked in " + h.Held
		}
	}
	if r := p.Rejected; r != nil {
		by := ""
		if r.By != "" {
			by = " by " + r.By
		}
		return fmt.Sprintf(" was %s with %s on %s%s", r.Outcome, r.Held, r.At.UTC().Format("2006-01-02 15:04:05 MST"), by)
	}
	return " is parked"
}

// because says what the rules have against the license.
func (p *Parked) because() string {
	if p == nil || p.Against == "" {
		return ""
	}
	because, known := map[licensing.Reason]string{
		licensing.NotAMember: "the user is not a member of the provisioning group", licensing.Suspended: "the user may not sign in",
		licensing.Deleted: "the user is deleted from the directory", licensing.Guest: "the user is a guest",
		licensing.Disconnected: "the tenant was disconnected",
	}[licensing.Reason(p.Against)]
	if !known {
		because = p.Against
	}
	return ", though " + because
}
