package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// parked is what stands between what the rules say of a user and what holds.
type parked struct {
	Waiting  *inLine     `json:"waiting,omitempty"`
	Held     []parkedBy  `json:"held,omitempty"` // held changes that wait and have the user on their lists
	Rejected *rejectedBy `json:"rejected,omitempty"`
	Against  string      `json:"against,omitempty"` // the reason of the revocation that is parked, or was rejected
}

// inLine is a place in the line of those who wait for a seat.
type inLine struct {
	Place  int64 `json:"place"`   // as it was given, and is never used again
	InLine int   `json:"in_line"` // 1 is next
}

type parkedBy struct {
	Held    string    `json:"held"`
	Kind    string    `json:"kind"`
	Would   bool      `json:"would_be_licensed"`
	Reason  string    `json:"would_be_reason"`
	Expires time.Time `json:"expires,omitzero"`
}

// rejectedBy is the held change whose rejection, or expiry, is why a license stands.
type rejectedBy struct {
	Held    string    `json:"held"`
	Outcome string    `json:"outcome"`
	By      string    `json:"by,omitempty"`
	At      time.Time `json:"at"`
}

// park reads what is parked of the user.
func (d *decision) park(ctx context.Context, r *ledger.Reader, u ledger.UserState) error {
	found, err := r.Parked(ctx, u, d.Product)
	if err != nil {
		return err
	}
	p := &parked{Against: found.Against}
	if found.Waiting {
		p.Waiting = &inLine{Place: found.Place, InLine: found.InLine}
	}
	for _, h := range found.Held {
		p.Held = append(p.Held, parkedBy{Held: h.Ref, Kind: string(h.Kind), Would: h.Would, Reason: h.WouldReason, Expires: h.ExpiresAt})
	}
	if h := found.Rejected; h != nil {
		p.Rejected = &rejectedBy{Held: h.Ref, Outcome: string(h.State), By: h.ClosedBy, At: h.ClosedAt}
	}
	if p.Waiting != nil || p.Held != nil || p.Rejected != nil || p.Against != "" {
		d.Parked = p
	}
	return nil
}

// line says where in line the user waits.
func (p *parked) line() string {
	if p == nil || p.Waiting == nil {
		return ""
	}
	if p.Waiting.InLine == 1 {
		return fmt.Sprintf(", and this user is the next to get one (place %d)", p.Waiting.Place)
	}
	return fmt.Sprintf(", and this user is number %d of those who wait for one (place %d)", p.Waiting.InLine, p.Waiting.Place)
}

// why says what has become of the revocation against which a license stands.
func (p *parked) why() string {
	if p == nil {
		return " is parked"
	}
	for _, h := range p.Held {
		if !h.Would && h.Kind != string(ledger.HeldFlip) {
			return " is parked in " + h.Held
		}
	}
	if r := p.Rejected; r != nil {
		return fmt.Sprintf(" was %s with %s on %s%s", r.Outcome, r.Held, local(r.At), by(r.By))
	}
	return " is parked"
}

// because says what the rules have against the license.
func (p *parked) because() string {
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

// notices name the held changes that concern the user.
func (p *parked) notices(tenant string) (text string) {
	if p == nil {
		return ""
	}
	for _, h := range p.Held {
		word := "lose the license"
		if h.Would {
			word = "get a license"
		}
		text += fmt.Sprintf("With %s the user would %s (%s): \"rollcall held show %s --tenant %s\".\n", h.Held, word, h.Reason, h.Held, tenant)
	}
	return text
}
