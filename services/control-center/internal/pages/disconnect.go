package pages

import (
	"errors"
	"net/http"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/connect"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// disconnectPage is the last step before a directory is followed no longer.
type disconnectPage struct {
	Key      string
	Licenses string // what becomes of them, as chosen; "": yet to be
	Licensed []licensedFor
}

// licensedFor is how many users hold a license for a product.
type licensedFor struct {
	Product string
	Users   int
}

// licensed tells for which products there is anybody.
func (s *scope) licensed() (all []licensedFor) {
	for _, state := range s.State.Products {
		if state.Licensed > 0 {
			all = append(all, licensedFor{s.Product(state.ID), state.Licensed})
		}
	}
	return all
}

// ended reports whether there is nothing left to disconnect: the directory is not followed, and no license stands.
func (s *scope) ended() bool {
	return s.Tenant.Disconnected && s.State.Disconnected == ledger.LicensesEnded
}

func (p *Pages) disconnectForm(w http.ResponseWriter, r *http.Request, s *scope) error {
	if !s.Commands() || s.ended() {
		return errNotFound
	}
	return p.showDisconnect(w, r, s, http.StatusOK, disconnectPage{Key: newKey()})
}

func (p *Pages) showDisconnect(w http.ResponseWriter, r *http.Request, s *scope, status int, page disconnectPage, notices ...notice) error {
	page.Licensed = s.licensed()
	return p.show(w, r, status, "disconnect", frame{
		Title: "Disconnect " + s.Tenant.ID, Section: "settings", Scope: s, Notices: notices, Body: page,
	})
}

// disconnect has the worker say what becomes of the licenses, and then a receiver follow the directory no longer. Sent again, it goes
// on where it broke off.
func (p *Pages) disconnect(w http.ResponseWriter, r *http.Request, s *scope) error {
	page := disconnectPage{Key: r.PostFormValue("key"), Licenses: r.PostFormValue("licenses")}
	if page.Licenses != event.LicensesKeep && page.Licenses != event.LicensesRevoke {
		return badRequest("The form says what cannot be.")
	}
	said, err := p.order(r, s, event.DisconnectRequested{Licenses: page.Licenses, By: s.Who.ID})
	if notices, _ := refusal(err); notices != nil {
		page.Key = newKey()
		return p.showDisconnect(w, r, s, http.StatusConflict, page, notices...)
	}
	switch {
	case err != nil:
		return err
	case said == saidLater:
		return p.showDisconnect(w, r, s, http.StatusAccepted, page, notYet)
	}
	err = p.deps.Receivers.Disconnect(r.Context(), s.Tenant.Provider, connect.Disconnect{Tenant: s.Tenant.ID, By: s.Who.ID})
	p.note(r, s, "disconnect", page.Key, err)
	if err != nil {
		return p.showDisconnect(w, r, s, http.StatusConflict, page, p.receiverTrouble(r, s, err))
	}
	return goOn(w, r, s.Path()+"/connections", saidDone)
}

// notYet is said of what the worker has not answered, and a receiver is to do after it.
var notYet = notice{
	Kind: "info", Title: "Not answered yet", Text: "No worker has answered by now. The command is stored, and one that comes obeys it.", To: "Press the button again in a moment: it goes on from there, and counts once.",
}

// receiverTrouble is why a receiver has not done what it was asked for.
func (p *Pages) receiverTrouble(r *http.Request, s *scope, err error) notice {
	p.deps.Logger.ErrorContext(r.Context(), "a receiver does not do what it was asked for", "tenant", s.Tenant.ID, "by", s.Who.ID, "error", err)
	n := notice{Kind: "bad", Title: "It is not done yet", Text: "The receiver has not come to an end with it.", To: "Press the button again: it goes on from there."}
	if errors.Is(err, connect.ErrNoReceiver) {
		n.Text, n.To = "What is stored of a directory a receiver changes, and none for this kind runs at the moment.", "Tell whoever runs Rollcall, and press the button again then."
	}
	return n
}
