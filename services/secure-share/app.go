// Package secureshare is a worked example: a small product that is sold by the seat, and asks Rollcall who has one. It is a
// consumer as anyone could write one. All that it knows of Rollcall is package license: a replica of who is licensed answers
// from memory at every request, and tells an open page when the answer is another one.
//
// What a product brings itself is the sign-in: the id in the user's token (Entra ID's oid, Google's sub) is the id in the
// license events. Here a form stands in its place, so it is only for a loopback address.
package secureshare

import (
	"context"
	"crypto/rand"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/license"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
)

// Product is this product's id in license events.
const Product = "secure-share"

// capabilities are what the product gives to licensed and to all other active users.
var capabilities = licensing.Capabilities{
	Licensed: []string{"share.initiate", "request.initiate"},
	Active:   []string{"share.receive", "request.respond"},
}

// labels are the capabilities as the page shows them, in that order.
var labels = []struct{ action, label, about string }{
	{"share.initiate", "Share", "Send files to anybody, protected."},
	{"request.initiate", "Request", "Send a link by which somebody sends files to you."},
	{"share.receive", "Receive", "Open files that a licensed user has shared with you."},
	{"request.respond", "Reply", "Send files in reply to a licensed user's request."},
}

//go:embed assets page.html
var files embed.FS

// Licenses tells who is licensed, from memory: see license.Replica.
type Licenses interface {
	Watch(license.Key) (s license.State, known bool, changed <-chan struct{})
}

// App serves the product's pages.
type App struct {
	licenses Licenses
	page     *template.Template
	mux      *http.ServeMux

	mu       sync.Mutex
	sessions map[string]license.Key
}

// New makes an App.
func New(licenses Licenses) (*App, error) {
	page, err := template.ParseFS(files, "page.html")
	if err != nil {
		return nil, fmt.Errorf("read the page: %w", err)
	}
	assets, err := fs.Sub(files, "assets")
	if err != nil {
		return nil, fmt.Errorf("read the assets: %w", err)
	}
	a := &App{licenses: licenses, page: page, mux: http.NewServeMux(), sessions: map[string]license.Key{}}
	a.mux.HandleFunc("GET /{$}", a.show)
	a.mux.HandleFunc("GET /live", a.live)
	a.mux.HandleFunc("POST /sign-in", a.signIn)
	a.mux.HandleFunc("POST /sign-out", a.signOut)
	a.mux.HandleFunc("POST /actions/{action}", a.act)
	a.mux.Handle("GET /assets/", http.StripPrefix("/assets/", http.FileServerFS(assets)))
	return a, nil
}

// ServeHTTP answers only whoever is on this machine, and no page of another site: anybody may sign in as anybody.
func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Referrer-Policy", "no-referrer")
	if !loopback(r.Host) || !loopback(r.RemoteAddr) {
		http.Error(w, "this example is only for the machine that it runs on", http.StatusForbidden)
		return
	}
	http.NewCrossOriginProtection().Handler(a.mux).ServeHTTP(w, r)
}

func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

const cookie = "secure-share"

// MaxSessions bounds the memory: whoever signs in beyond it signs everybody else out.
const MaxSessions = 10_000

func (a *App) signIn(w http.ResponseWriter, r *http.Request) {
	key := license.Key{Tenant: r.PostFormValue("tenant"), Product: Product, User: r.PostFormValue("user")}
	if !event.ValidSlug(key.Tenant) || !event.ValidToken(key.User) {
		http.Error(w, "want the id of a tenant, and the provider's id of a user of it", http.StatusBadRequest)
		return
	}
	token := rand.Text()
	a.mu.Lock()
	if len(a.sessions) >= MaxSessions {
		clear(a.sessions)
	}
	a.sessions[token] = key
	a.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: cookie, Value: token, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}) //nolint:gosec // G124: on loopback, without TLS
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (a *App) signOut(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(cookie); err == nil {
		a.mu.Lock()
		delete(a.sessions, c.Value)
		a.mu.Unlock()
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// signedIn returns whose session the request has.
func (a *App) signedIn(r *http.Request) (license.Key, bool) {
	c, err := r.Cookie(cookie)
	if err != nil {
		return license.Key{}, false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	key, ok := a.sessions[c.Value]
	return key, ok
}

// may is what a user may do.
type may struct {
	Action, Label, About string
	Allowed              bool
}

// view is what the page shows of the signed-in user.
type view struct {
	SignedIn     bool
	Tenant, User string
	Licensed     bool
	Reason       string
	Since        time.Time
	May          []may
}

// look says what a user may do now, and returns a channel that is closed when that is another thing. Whoever has signed in
// is active, unless the license events say otherwise: they tell of everybody who was ever licensed.
func (a *App) look(key license.Key) (view, <-chan struct{}) {
	s, known, changed := a.licenses.Watch(key)
	v := view{SignedIn: true, Tenant: key.Tenant, User: key.User, Licensed: s.Licensed, Reason: s.Reason, Since: s.Since}
	if !known {
		v.Reason = "never licensed"
	}
	for _, l := range labels {
		v.May = append(v.May, may{l.action, l.label, l.about, capabilities.Allows(active(s), s.Licensed, l.action)})
	}
	return v, changed
}

func active(s license.State) bool {
	reason := licensing.Reason(s.Reason)
	return s.Licensed || reason != licensing.Suspended && reason != licensing.Deleted
}

func (a *App) show(w http.ResponseWriter, r *http.Request) {
	v := view{Tenant: r.URL.Query().Get("tenant"), User: r.URL.Query().Get("user")} // what the form begins with
	if key, ok := a.signedIn(r); ok {
		v, _ = a.look(key)
	}
	a.render(w, "page", v)
}

// act is what the buttons do. What a page shows is a courtesy: the answer that counts is asked for here.
func (a *App) act(w http.ResponseWriter, r *http.Request) {
	key, ok := a.signedIn(r)
	if !ok {
		http.Error(w, "sign in first", http.StatusUnauthorized)
		return
	}
	v, _ := a.look(key)
	for _, m := range v.May {
		if m.Action == r.PathValue("action") && m.Allowed {
			_, _ = fmt.Fprintf(w, "%s: done.\n", m.Label)
			return
		}
	}
	http.Error(w, "you may not: "+v.Reason, http.StatusForbidden)
}

func (a *App) render(w http.ResponseWriter, name string, v view) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_ = a.page.ExecuteTemplate(w, name, v) // the reader has gone away
}

// Follow keeps an App over a replica of all tenants current until ctx ends. What the replica cannot be trusted with is an
// error: the process is to be started anew.
func Follow(ctx context.Context, client *license.Client) (*App, func(context.Context) error, error) {
	replica, err := client.Replica(ctx, license.Options{Product: Product})
	if err != nil {
		return nil, nil, fmt.Errorf("learn who is licensed: %w", err)
	}
	a, err := New(replica)
	return a, replica.Run, err
}
