package pages

import (
	"errors"
	"net/http"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/connecting"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/session"
)

// consentErrand is one walk to the provider. Its name is the state, and good for once.
type consentErrand struct {
	Connect     string `json:"connect"` // the errand that it is a part of
	Tenant      string `json:"tenant"`
	DirectoryID string `json:"directory_id"` // as it was entered
}

// askConsent sends the browser to the authority. It is reached by a link and not by a form: what forms lead to, by however many
// redirects, the policy of content bounds to us.
func (p *Pages) askConsent(w http.ResponseWriter, r *http.Request, c *connection) error {
	if c.Wanted.Provider != directory.Entra {
		return errNotFound
	}
	state, err := p.deps.Errands.BeginErrand(r, errandConsent, consentLife, consentErrand{
		Connect: c.Name, Tenant: c.Wanted.Tenant, DirectoryID: c.Wanted.DirectoryID,
	})
	if err != nil {
		return err
	}
	to, err := p.deps.Connector.Consent(r.Context(), c.Wanted, state)
	if err != nil {
		return p.showSteps(w, r, http.StatusOK, c, steps{}, p.connectTrouble(r, err))
	}
	p.deps.Logger.InfoContext(r.Context(), "consent is asked for", "tenant", c.Wanted.Tenant, "by", c.Who.ID, "role", string(c.Who.Role))
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, to, http.StatusSeeOther) //nolint:gosec // to the authority of the receivers' configuration
	return nil
}

// consented is where the browser comes back to. Nothing that it brings is believed but that somebody has answered: whether there
// is consent the receiver finds out, by reading the directory that was entered. A state counts once, in the session that it was
// made for; admin_consent is True with errors too, so that these are looked at first.
func (p *Pages) consented(w http.ResponseWriter, r *http.Request, who access.Principal) error {
	query := r.URL.Query()
	if !query.Has("state") {
		return badRequest("You come from no consent that was begun on these pages. Where an address that the API has told led you to Microsoft, nothing is left to do here: whoever has asked goes on there.")
	}
	var walk consentErrand
	err := p.deps.Errands.TakeErrand(r, errandConsent, query.Get("state"), &walk)
	if errors.Is(err, session.ErrNoErrand) {
		p.refusedConnect(r.Context(), who, "", "state")
		return badRequest("This answer is of no consent that you have under way: it was begun in another session, took longer than ten minutes, or was answered already. Please begin again.")
	}
	if err != nil {
		return err
	}
	var c connectErrand
	err = p.deps.Errands.Errand(r, errandConnect, walk.Connect, &c)
	if errors.Is(err, session.ErrNoErrand) {
		return badRequest("Connecting this directory has taken longer than an hour, or is done. Please begin again.")
	}
	if err != nil {
		return err
	}
	switch {
	case !connecting.May(who, c.Wanted):
		return errForbidden
	case query.Has("error"):
		c.Declined = true
		p.deps.Logger.WarnContext(r.Context(), "consent was not given", "tenant", walk.Tenant, "by", who.ID)
	case query.Get("tenant") != walk.DirectoryID:
		p.refusedConnect(r.Context(), who, walk.Tenant, "another-directory")
		return badRequest("The answer is of another directory than the one that you have entered. Nothing was connected. Please begin again.")
	case query.Get("admin_consent") != "True":
		p.refusedConnect(r.Context(), who, walk.Tenant, "no-consent")
		return badRequest("The answer says neither that consent was given nor why not. Please begin again.")
	default:
		c.Declined, c.Consented = false, p.deps.Clock.Now()
		p.deps.Logger.InfoContext(r.Context(), "consent was given", "tenant", walk.Tenant, "by", who.ID)
	}
	if err := p.deps.Errands.ChangeErrand(r, errandConnect, walk.Connect, c); err != nil {
		return err
	}
	http.Redirect(w, r, "/connect/"+walk.Connect, http.StatusSeeOther)
	return nil
}
