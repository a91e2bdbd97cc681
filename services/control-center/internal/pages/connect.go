package pages

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/connecting"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/session"
	"github.com/rollcall-hq/rollcall/services/internal/connect"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// Receivers are asked to look at directories, to store tenants, and to change what is stored of them; see connect.Client.
type Receivers interface {
	connecting.Receivers
	Disconnect(ctx context.Context, p directory.Provider, d connect.Disconnect) error
	Erase(ctx context.Context, p directory.Provider, e connect.Erase) error
	ChangeProducts(ctx context.Context, p directory.Provider, w connect.ChangeProducts) ([]tenant.Product, error)
}

// Errands keep what somebody is about, for the same session alone; see session.Manager. Of what the session does not have the error
// is session.ErrNoErrand.
type Errands interface {
	BeginErrand(r *http.Request, kind string, life time.Duration, data any) (name string, err error)
	Errand(r *http.Request, kind, name string, data any) error
	TakeErrand(r *http.Request, kind, name string, data any) error
	ChangeErrand(r *http.Request, kind, name string, data any) error
}

func (p *Pages) connecting() bool { return p.deps.Connector != nil && p.deps.Errands != nil }

// The kinds of errands: connecting a directory from its form to its end, and one walk to the provider for an admin's consent.
const (
	errandConnect = "connect"
	errandConsent = "consent"

	connectLife = time.Hour
	consentLife = 10 * time.Minute
)

// connectErrand is what is kept of a directory that somebody is connecting.
type connectErrand struct {
	Wanted connect.Wanted `json:"wanted"`
	// Consented is when an admin came back from the provider having accepted.
	Consented time.Time `json:"consented,omitzero"`
	Declined  bool      `json:"declined,omitempty"` // or not having accepted
}

func (p *Pages) connectRoutes(mux *http.ServeMux) {
	route := func(pattern string, f func(http.ResponseWriter, *http.Request, access.Principal) error) {
		mux.Handle(pattern, p.serve(func(w http.ResponseWriter, r *http.Request) error {
			who, known := access.From(r.Context())
			if !known || !who.Connects() {
				return errForbidden
			}
			r.Body = http.MaxBytesReader(w, r.Body, maxForm)
			if err := r.ParseForm(); err != nil {
				return badRequest("The form could not be read.")
			}
			return f(w, r, who)
		}))
	}
	ours := func(pattern string, f func(http.ResponseWriter, *http.Request, *connection) error) {
		route(pattern, func(w http.ResponseWriter, r *http.Request, who access.Principal) error {
			c, err := p.connectionOf(r, who)
			if err != nil {
				return err
			}
			return f(w, r, c)
		})
	}
	route("GET /connect", p.connectForm)
	route("POST /connect", p.beginConnect)
	route("GET "+connecting.Callback, p.consented)
	ours("GET /connect/{errand}", p.showConnect)
	ours("GET /connect/{errand}/consent", p.askConsent)
	ours("GET /connect/{errand}/check", p.checkConnect)
	ours("POST /connect/{errand}", p.finishConnect)
}

// connection is a directory that somebody is connecting, as a request finds it.
type connection struct {
	connectErrand
	Name string // of the errand
	Who  access.Principal
}

// Path is the address of its page.
func (c *connection) Path() string { return "/connect/" + c.Name }

func (p *Pages) connectionOf(r *http.Request, who access.Principal) (*connection, error) {
	c := &connection{Name: r.PathValue("errand"), Who: who}
	err := p.deps.Errands.Errand(r, errandConnect, c.Name, &c.connectErrand)
	if errors.Is(err, session.ErrNoErrand) {
		return nil, errNotFound
	}
	if err == nil && !connecting.May(who, c.Wanted) { // by now
		err = errForbidden
	}
	return c, err
}

// connectPage is the form.
type connectPage struct {
	Provider directory.Provider // "": it is yet to be chosen
	Wanted   connect.Wanted
	Faults   map[string]string // by field
	Tenants  []string          // names that the principal may use; nil: any
	Products []tenant.Product
	Ready    bool // a receiver runs, and is told of an application
}

// Chosen reports whether a product was chosen.
func (c connectPage) Chosen(id string) bool { return slices.Contains(c.Wanted.Products, id) }

func (p *Pages) connectForm(w http.ResponseWriter, r *http.Request, who access.Principal) error {
	wanted := connect.Wanted{Provider: directory.Provider(r.URL.Query().Get("provider"))}
	if len(who.Tenants) == 1 {
		wanted.Tenant = who.Tenants[0]
	}
	return p.showForm(w, r, who, http.StatusOK, wanted, nil)
}

func (p *Pages) showForm(w http.ResponseWriter, r *http.Request, who access.Principal, status int, wanted connect.Wanted, faults []connect.Fault) error {
	page := connectPage{Provider: wanted.Provider, Wanted: wanted, Faults: map[string]string{}, Tenants: who.Tenants, Products: tenant.Shipped()}
	for _, f := range faults {
		page.Faults[f.Field] = sentence(f.Want)
	}
	f := frame{Title: "Connect a directory", Who: who}
	switch page.Provider {
	case directory.Entra, directory.GoogleWorkspace:
		_, err := p.deps.Receivers.Describe(r.Context(), page.Provider)
		page.Ready = err == nil
		if err != nil {
			f.Notices = []notice{p.connectTrouble(r, err)}
		}
	default:
		page.Provider = ""
	}
	if len(faults) > 0 {
		f.Notices = append(f.Notices, notice{Kind: "bad", Title: "Something is missing or wrong", Text: "What, is said at each field. Nothing was done."})
	}
	f.Body = page
	return p.show(w, r, status, "connect", f)
}

// beginConnect reads the form. What it says is kept here, and not in addresses: there is somebody's in it.
func (p *Pages) beginConnect(w http.ResponseWriter, r *http.Request, who access.Principal) error {
	wanted := connect.Wanted{
		Tenant: strings.TrimSpace(r.PostForm.Get("tenant")), Provider: directory.Provider(r.PostForm.Get("provider")),
		DirectoryID: strings.TrimSpace(r.PostForm.Get("directory_id")), ConnectedBy: directory.Address(r.PostForm.Get("connected_by")),
		Subject: directory.Address(r.PostForm.Get("subject")), Products: r.PostForm["product"],
	}
	if wanted.Provider == directory.Entra {
		wanted.DirectoryID = strings.ToLower(wanted.DirectoryID)
	}
	faults := wanted.Faults()
	if len(faults) == 0 {
		var err error
		if faults, err = p.connectFaults(r.Context(), who, wanted); err != nil {
			return err
		}
	}
	if len(faults) > 0 {
		return p.showForm(w, r, who, http.StatusUnprocessableEntity, wanted, faults)
	}
	name, err := p.deps.Errands.BeginErrand(r, errandConnect, connectLife, connectErrand{Wanted: wanted})
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/connect/"+name, http.StatusSeeOther) //nolint:gosec // a page of ours, by the name that we gave
	return nil
}

// connectFaults are those that depend on who asks, and on what is connected already.
func (p *Pages) connectFaults(ctx context.Context, who access.Principal, w connect.Wanted) ([]connect.Fault, error) {
	if !who.Commands(w.Tenant) { // whether there is such a tenant is not said
		return []connect.Fault{{Field: "tenant", Want: "want a name that your role is for"}}, nil
	}
	if !connecting.AtHome(who, w) {
		p.refusedConnect(ctx, who, w.Tenant, "another-organization")
		if w.Provider == directory.Entra {
			return []connect.Fault{{Field: "directory_id", Want: "want the directory that you have signed in from; an operator may connect others"}}, nil
		}
		return []connect.Fault{{Field: "subject", Want: "want an admin at the domain that you have signed in from; an operator may connect others"}}, nil
	}
	err := p.deps.Connector.Free(ctx, w)
	switch {
	case errors.Is(err, connect.ErrExists):
		return []connect.Fault{{Field: "tenant", Want: "want another name: a directory is connected under this one"}}, nil
	case errors.Is(err, connect.ErrAnother):
		return []connect.Fault{{Field: "directory_id", Want: "want the directory that had this name before, or another name"}}, nil
	}
	return nil, err
}

// refusedConnect notes that somebody was refused.
func (p *Pages) refusedConnect(ctx context.Context, who access.Principal, tenantID, why string) {
	p.deps.Logger.WarnContext(ctx, "refused", "principal", who.ID, "role", string(who.Role), "command", "connect", "tenant", tenantID, "why", why)
}

// connectTrouble is why nothing can be connected, or not now.
func (p *Pages) connectTrouble(r *http.Request, err error) notice {
	n := notice{Kind: "bad", Title: "It cannot be connected"}
	switch {
	case errors.Is(err, connect.ErrNoReceiver):
		n.Title, n.Text, n.To = "No receiver answers", "Directories of this kind are read by a receiver, and none runs at the moment.", "Tell whoever runs Rollcall."
	case errors.Is(err, connect.ErrNoApplication):
		n.Title, n.Text = "Nothing to connect with", "The receiver is told of no application to which an admin could consent, or delegate."
		n.To = "Whoever runs Rollcall names one in its configuration, or connects the directory on the command line."
	case errors.Is(err, connect.ErrTaken):
		n.Text = "This directory is connected already, under another name."
	case errors.Is(err, connect.ErrExists), errors.Is(err, connect.ErrAnother):
		n.Text = "A directory is connected under this name already."
	case errors.Is(err, connect.ErrNotProved):
		n.Title, n.Text = "Not yet", "Something is still to be done: it is below."
	default:
		p.deps.Logger.ErrorContext(r.Context(), "a directory cannot be looked at", "error", err)
		n.Title, n.Text, n.To = "The directory could not be looked at", "The receiver has not come to an end with it.", "Try again in a moment."
	}
	return n
}
