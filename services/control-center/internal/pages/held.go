package pages

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// heldPage is a held change with a part of its list.
type heldPage struct {
	ledger.HeldChange
	Heading, Effect string
	State           badge
	Waits           bool // for somebody, who has seen Revision
	Flip            string
	Path            string // of this page, without where the list begins
	Lines           []ledger.HeldLine
	Next            int64 // where the next part of the list begins; 0: this is the last
	Later           bool  // this is not its first part
	Key             string
	Moved           bool // the list is another one than the page that asks has
	Difference      []heldDifference
}

// heldDifference is one line of what has changed since somebody looked.
type heldDifference struct {
	User, Name, Says string
}

// heldLines is how much of a list is on one page.
const heldLines = 200

func (p *Pages) held(w http.ResponseWriter, r *http.Request, s *scope) error {
	return p.showHeld(w, r, s, http.StatusOK, said(r), event.Answered{})
}

func (p *Pages) showHeld(w http.ResponseWriter, r *http.Request, s *scope, status int, notices []notice, refused event.Answered) error {
	ctx, query := r.Context(), r.URL.Query()
	h, err := p.deps.Ledger.HeldChange(ctx, s.Tenant.ID, query.Get("product"), r.PathValue("held"))
	if errors.Is(err, ledger.ErrManyHeld) {
		return badRequest("Several products have a held change of that id: take the way from the overview.")
	}
	if err != nil {
		return err
	}
	page := heldPage{
		HeldChange: h, Heading: s.heldTitle(h), Effect: heldEffect(h), State: heldBadge(h.State), Waits: h.State == ledger.HeldOpen,
		Flip: flipSays(h), Path: s.heldPath(h), Key: newKey(),
	}
	after, _ := strconv.ParseInt(query.Get("after"), 10, 64) // what is no number is the begin
	page.Later = after > 0
	if page.Lines, err = p.deps.Ledger.HeldLines(ctx, h, after, heldLines+1); err != nil {
		return err
	}
	if len(page.Lines) > heldLines {
		page.Lines = page.Lines[:heldLines]
		page.Next = page.Lines[heldLines-1].Number
	}
	if seen := query.Get("seen"); seen != "" {
		page.Moved = seen != strconv.Itoa(h.Revision)
	}
	if page.Difference, err = p.difference(r, s, refused.Changes); err != nil {
		return err
	}
	return p.show(w, r, status, "held", frame{Title: page.Heading, Section: "overview", Scope: s, Notices: notices, Body: page})
}

func heldBadge(state ledger.HeldState) badge {
	switch state {
	case ledger.HeldListing:
		return badge{"info", "clock", "List being made"}
	case ledger.HeldOpen:
		return badge{"warn", "inbox", "Waits for you"}
	case ledger.HeldApproved:
		return badge{"info", "refresh", "Being carried out"}
	case ledger.HeldApplied:
		return badge{"good", "check", "Carried out"}
	case ledger.HeldRejected:
		return badge{"plain", "x", "Rejected"}
	case ledger.HeldExpired:
		return badge{"plain", "clock", "Expired: counts as rejected"}
	case ledger.HeldWithdrawn:
		return badge{"plain", "minus", "Withdrawn: no longer so"}
	}
	return badge{"plain", "dot", string(state)}
}

// flipSays tells a flip in a sentence.
func flipSays(h ledger.HeldChange) string {
	if h.Kind != ledger.HeldFlip {
		return ""
	}
	name := func(group, called string) string {
		if group == "" {
			return "every active user"
		}
		if called == "" {
			called = group
		}
		return "the members of “" + called + "”"
	}
	return "Licensed are " + name(h.InForce.Group, h.InForceName) + " now, and would be " + name(h.Group, h.GroupName) + "."
}

// difference names those who have come onto a list, or left it, or would become something else.
func (p *Pages) difference(r *http.Request, s *scope, changes []event.HeldUser) (all []heldDifference, err error) {
	ids := make([]string, len(changes))
	for i, c := range changes {
		ids[i] = c.User
	}
	names, err := p.deps.Ledger.Names(r.Context(), s.Tenant.ID, ids)
	for _, c := range changes {
		d := heldDifference{User: c.User, Name: names[c.User].Name, Says: "no longer on the list"}
		switch {
		case c.Listed && c.Licensed:
			d.Says = "would be licensed: " + reasonWord(c.Reason)
		case c.Listed:
			d.Says = "would lose the license: " + reasonWord(c.Reason)
		}
		all = append(all, d)
	}
	return all, err
}

// approve lets a held change take effect as it was when the form was made.
func (p *Pages) approve(w http.ResponseWriter, r *http.Request, s *scope) error {
	revision, err := strconv.Atoi(r.PostFormValue("revision"))
	if err != nil || revision < 1 {
		return badRequest("The form names no revision of the list.")
	}
	return p.decide(w, r, s, event.ApproveRequested{
		Product: r.PostFormValue("product"), Held: r.PathValue("held"), Revision: revision, By: s.Who.ID,
	})
}

// reject leaves the licenses on its list as they are.
func (p *Pages) reject(w http.ResponseWriter, r *http.Request, s *scope) error {
	return p.decide(w, r, s, event.RejectRequested{Product: r.PostFormValue("product"), Held: r.PathValue("held"), By: s.Who.ID})
}

func (p *Pages) decide(w http.ResponseWriter, r *http.Request, s *scope, data any) error {
	h, err := p.deps.Ledger.HeldChange(r.Context(), s.Tenant.ID, r.PostFormValue("product"), r.PathValue("held"))
	if err != nil {
		return err
	}
	said, err := p.order(r, s, data)
	if err == nil {
		return goOn(w, r, s.heldPath(h), said)
	}
	notices, answer := refusal(err)
	if notices == nil {
		return err
	}
	if answer.Code == event.CodeRevision {
		notices = []notice{{
			Kind: "warn", Title: "The list has changed while you looked at it",
			Text: "Nothing was done. Look at what is different, and approve the list as it is now if it is still what you want.",
		}}
	}
	q := r.URL.Query()
	q.Set("product", h.ProductID)
	r.URL.RawQuery = q.Encode()
	return p.showHeld(w, r, s, http.StatusConflict, notices, answer)
}
