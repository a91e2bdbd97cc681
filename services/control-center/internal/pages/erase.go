package pages

import (
	"net/http"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/connect"
)

// erasePage is the last step before a tenant is forgotten.
type erasePage struct {
	Key      string
	Licensed []licensedFor // as long as there is anybody, it cannot be
	Now      bool          // the worker is about it: the page asks again by itself, until it is done
}

// erasable reports whether the principal may have the tenant erased: an operator, once it is disconnected.
func (s *scope) erasable() bool { return s.Tenant.Disconnected && s.Who.Operates(s.Tenant.ID) }

func (p *Pages) eraseForm(w http.ResponseWriter, r *http.Request, s *scope) error {
	if !s.erasable() {
		return errNotFound
	}
	return p.showErase(w, r, s, http.StatusOK, erasePage{Key: newKey()})
}

func (p *Pages) showErase(w http.ResponseWriter, r *http.Request, s *scope, status int, page erasePage, notices ...notice) error {
	page.Licensed = s.licensed()
	if asksItself(r) { // errors are not shown there
		status = http.StatusOK
	}
	return p.show(w, r, status, "erase", frame{Title: "Erase " + s.Tenant.ID, Section: "settings", Scope: s, Notices: notices, Body: page})
}

// asksItself reports whether it is the page that asks, and nobody who has pressed a button.
func asksItself(r *http.Request) bool { return r.Header.Get("HX-Request") == "true" }

// erase has the worker forget the tenant's people, and then a receiver everything else that is kept of it. Sent again, it goes on where
// it broke off.
func (p *Pages) erase(w http.ResponseWriter, r *http.Request, s *scope) error {
	key := r.PostFormValue("key")
	switch {
	case !s.Who.Operates(s.Tenant.ID):
		return errForbidden
	case !s.Tenant.Disconnected:
		return errNotFound
	case strings.TrimSpace(r.PostFormValue("confirm")) != s.Tenant.ID:
		return p.showErase(w, r, s, http.StatusUnprocessableEntity, erasePage{Key: key}, notice{
			Kind: "bad", Title: "It was not done", Text: "What was typed is not the tenant’s name. Nothing is erased.",
		})
	}
	said, err := p.order(r, s, event.EraseRequested{By: s.Who.ID})
	if notices, _ := refusal(err); notices != nil {
		return p.showErase(w, r, s, http.StatusConflict, erasePage{Key: newKey()}, notices...)
	}
	switch {
	case err != nil:
		return err
	case said == saidLater:
		return p.showErase(w, r, s, http.StatusAccepted, erasePage{Key: key, Now: true})
	}
	err = p.deps.Receivers.Erase(r.Context(), s.Tenant.Provider, connect.Erase{Tenant: s.Tenant.ID, Confirm: s.Tenant.ID, By: s.Who.ID})
	p.note(r, s, "erase", key, err)
	if err != nil {
		return p.showErase(w, r, s, http.StatusConflict, erasePage{Key: key}, p.receiverTrouble(r, s, err))
	}
	if asksItself(r) { // a redirection would be followed, and nothing of the page that it leads to be shown
		w.Header().Set("HX-Redirect", "/")
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}
