package pages

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/answer"
	"github.com/rollcall-hq/rollcall/services/internal/command"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// userPage is what is known of one user.
type userPage struct {
	ledger.UserState
	Called    string
	Unread    bool // nothing can be said yet
	AsOf      time.Time
	Decisions []userDecision
	History   []userPeriod
	More      bool // the history has more than is shown
	Key       string
}

// userDecision is where one product stands for the user.
type userDecision struct {
	answer.Decision
	Product   string
	Activated time.Time // when the product reported a first sign-in
	Notices   []notice
}

// userPeriod is a stretch of time in which a decision held.
type userPeriod struct {
	ledger.Period
	Called string // the product
	Says   string
	Path   []answer.Step
	Chain  []string
}

// userHistory is how many periods a page shows.
const userHistory = 100

func (p *Pages) user(w http.ResponseWriter, r *http.Request, s *scope) error {
	ctx := r.Context()
	found, err := p.deps.Ledger.FindUsers(ctx, s.Tenant.ID, r.PathValue("user"))
	if err != nil {
		return err
	}
	if len(found) != 1 || found[0].ID != r.PathValue("user") { // an address is not what a page is called by: it moves
		return errNotFound
	}
	u := found[0]
	page := userPage{UserState: u, Called: u.Name, Unread: !s.State.Ready(), AsOf: answer.AsOf(s.State), Key: newKey()}
	if page.Called == "" {
		page.Called = u.ID
	}
	st, err := p.standing(ctx, s)
	if err != nil {
		return err
	}
	if !page.Unread {
		if page.Decisions, err = p.decisions(ctx, s, u); err != nil {
			return err
		}
		if page.History, page.More, err = p.history(ctx, s, u); err != nil {
			return err
		}
	}
	return p.show(w, r, http.StatusOK, "user", frame{
		Title: page.Called, Section: "users", Scope: s, User: u.ID, Notices: append(said(r), s.standingNotices(st)...), Body: page,
	})
}

func (p *Pages) decisions(ctx context.Context, s *scope, u ledger.UserState) (all []userDecision, err error) {
	activated, err := p.deps.Ledger.Activations(ctx, u)
	if err != nil {
		return nil, err
	}
	for _, product := range s.State.Products {
		d, _, err := answer.Decide(ctx, p.deps.Ledger, answer.Question{Tenant: s.Tenant.ID, Product: product.ID, User: u.ID})
		if err != nil {
			return nil, err
		}
		if d.Removed && d.Since == nil { // no longer the tenant's, and never the user's
			continue
		}
		all = append(all, userDecision{Decision: d, Product: s.Product(product.ID), Activated: activated[product.ID], Notices: parkedNotices(s, product.ID, d.Parked)})
	}
	return all, nil
}

// parkedNotices name the held changes that would change something for the user.
func parkedNotices(s *scope, product string, parked *answer.Parked) (all []notice) {
	if parked == nil {
		return nil
	}
	for _, h := range parked.Held {
		title := "A held change would take this license"
		if h.Would {
			title = "A held change would grant this license"
		}
		all = append(all, notice{
			Kind: "warn", Title: title, Text: sentence(reasonWord(h.Reason)),
			Link: link{s.Path() + "/held/" + h.Held + "?product=" + product, "To the held change"},
		})
	}
	return all
}

// history returns the user's periods, the last one first, with what led to each.
func (p *Pages) history(ctx context.Context, s *scope, u ledger.UserState) (all []userPeriod, more bool, err error) {
	periods, err := p.deps.Ledger.History(ctx, u, "")
	if err != nil {
		return nil, false, err
	}
	slices.SortStableFunc(periods, func(a, b ledger.Period) int { return b.From.Compare(a.From) })
	if len(periods) > userHistory {
		periods, more = periods[:userHistory], true
	}
	chains, err := p.deps.Ledger.Chains(ctx, s.Tenant.ID)
	if err != nil {
		return nil, false, err
	}
	for _, period := range periods {
		one := userPeriod{Period: period, Called: s.Product(period.Product), Says: sentence(reasonWord(period.Reason))}
		if one.Path, err = answer.Steps(ctx, p.deps.Ledger, s.Tenant.ID, period.Path); err != nil {
			return nil, false, err
		}
		links, err := chains.Of(ctx, period.Cause)
		if err != nil {
			return nil, false, err
		}
		one.Chain = chainWords(links)
		all = append(all, one)
	}
	return all, more, nil
}

// chainWords are the events that led to another one, the nearest first.
func chainWords(links []ledger.Link) []string {
	words := make([]string, len(links))
	for i, l := range links {
		words[i] = typeWord(l.Type)
		if l.Type == "" {
			words[i] = l.Event
		}
		if l.By != "" {
			words[i] += " by " + l.By
		}
	}
	return words
}

// checkAgain has the directory asked about one user, and waits for a moment until what it shows has come.
func (p *Pages) checkAgain(w http.ResponseWriter, r *http.Request, s *scope) error {
	ctx, cancel := context.WithTimeout(r.Context(), p.deps.Patience)
	defer cancel()
	u, err := p.deps.Ledger.FindUser(ctx, s.Tenant.ID, r.PathValue("user"))
	if err != nil {
		return err
	}
	said, err := p.askAbout(ctx, s, r.PostFormValue("key"), u.ID)
	if err != nil {
		return err
	}
	return goOn(w, r, s.Path()+"/users/"+u.ID, said)
}

var errShown = errors.New("shown")

func (p *Pages) askAbout(ctx context.Context, s *scope, key, user string) (said string, err error) {
	if !command.ValidKey(key) {
		return "", badRequest("The form names no key.")
	}
	id := event.CommandID(s.Tenant.ID, "read", key)
	ev, err := event.New(event.TypeReadRequested, event.Meta{
		ID: id, Source: event.CommandSource(s.Tenant.ID), Time: p.deps.Clock.Now(), Tenant: s.Tenant.ID,
	}, event.ReadRequested{Users: []string{user}})
	if err != nil {
		return "", err
	}
	ack, err := p.deps.Bus.Publish(ctx, event.CommandSubject(s.Tenant.ID, "read"), ev)
	if err != nil {
		return "", err
	}
	p.deps.Logger.InfoContext(ctx, "command", "tenant", s.Tenant.ID, "by", s.Who.ID, "role", string(s.Who.Role), "command", "read", "key", key)
	err = p.deps.Bus.Read(ctx, bus.ReadSpec{
		Stream: bus.LedgerIn, Filters: []string{"directory.*." + s.Tenant.ID + ".candidates"}, FromSequence: ack.Sequence, Follow: true,
	}, func(m bus.Message) error {
		if m.Fault != nil || m.Event.Type() != event.TypeCandidatesRead {
			return nil
		}
		read, err := event.Data[event.CandidatesRead](m.Event)
		if err == nil && read.Request == id {
			err = errShown
		}
		return err
	})
	switch {
	case errors.Is(err, errShown):
		return saidChecked, nil
	case errors.Is(err, context.DeadlineExceeded):
		return saidLater, nil
	}
	return "", err
}

// typeWord is an event's type in plain words.
func typeWord(eventType string) string {
	if words, known := typeWords[eventType]; known {
		return words
	}
	return strings.TrimSuffix(strings.TrimPrefix(eventType, "io.rollcall."), ".v1")
}

var typeWords = map[string]string{
	event.TypeNotificationReceived: "a notification of the provider",
	event.TypeDirectoryObserved:    "a read of the directory",
	event.TypeSnapshotEnded:        "a complete read of the directory",
	event.TypeCandidatesRead:       "a read of those who were missing",
	event.TypeRoundEnded:           "a round of reads",
	event.TypeRefreshRequested:     "a refresh",
	event.TypeReadRequested:        "a read that was asked for",
	event.TypeApproveRequested:     "an approval",
	event.TypeRejectRequested:      "a rejection",
	event.TypeSeatsRequested:       "a change of the seats",
	event.TypeSettingsRequested:    "a change of the settings",
	event.TypeDisconnectRequested:  "the end of the connection",
	event.TypeConnectRequested:     "a new connection",
	event.TypePolicyChanged:        "a change of mode or group",
	event.TypeHeldClosed:           "the end of a held change",
	event.TypeSeatsChanged:         "a change of the seats",
	event.TypeLicenseGranted:       "License granted",
	event.TypeLicenseRevoked:       "License revoked",
	event.TypeLicenseReasonChanged: "Reason changed",
}
