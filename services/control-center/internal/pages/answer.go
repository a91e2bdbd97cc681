package pages

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/refresh"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// What a request can meet that its sender is told.
var (
	errNotFound  = errors.New("there is no such page")
	errForbidden = errors.New("the role may not do that")
)

// faulty is a request that says what cannot be.
type faulty struct{ says string }

func (f faulty) Error() string { return f.says }

func badRequest(format string, args ...any) error { return faulty{fmt.Sprintf(format, args...)} }

// frame is what every page has around its own.
type frame struct {
	Title   string
	Section string // of the navigation
	Who     access.Principal
	Scope   *scope // nil where the page is of no tenant
	User    string // whose page it is, if it is one's
	Notices []notice
	Body    any

	Live string // where the page is told of changes
}

// notice is a word to the reader, above the rest.
type notice struct {
	Kind  string // good, info, warn or bad
	Title string
	Text  string
	To    string // rendered as it is: what to do about it
	Link  link
}

type link struct{ Path, Text string }

// Icon is the sign of a kind, for those who cannot tell colours.
func (n notice) Icon() string {
	return map[string]string{"good": "check", "info": "info", "warn": "warn", "bad": "stop"}[n.Kind]
}

// page is one page's templates.
type page struct{ whole, part *template.Template }

// show renders a page; for htmx, which has the frame already, only what is in it.
func (p *Pages) show(w http.ResponseWriter, r *http.Request, status int, name string, f frame) error {
	if f.Scope != nil {
		f.Who = f.Scope.Who
		f.Live = f.Scope.Path() + "/live?mark=" + f.Scope.Mark
		if f.User != "" {
			f.Live += "&user=" + url.QueryEscape(f.User)
		}
	}
	t := p.pages[name].whole
	if r.Header.Get("HX-Request") == "true" {
		t = p.pages[name].part
	}
	var body bytes.Buffer
	if err := t.Execute(&body, f); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "HX-Request")
	w.WriteHeader(status)
	_, _ = upright.WriteString(w, body.String())
	return nil
}

// upright shows characters that turn text around as something that is there: a name is not to rearrange what is said of it. Scripts
// that are written from right to left need none of them.
var upright = strings.NewReplacer("\u202a", "\ufffd", "\u202b", "\ufffd", "\u202c", "\ufffd", "\u202d", "\ufffd", "\u202e", "\ufffd",
	"\u2066", "\ufffd", "\u2067", "\ufffd", "\u2068", "\ufffd", "\u2069", "\ufffd")

// serve answers with what a handler does, or with the page of its error. What only the operator can understand is logged under
// the id that the page shows, and nowhere else.
func (p *Pages) serve(f func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := f(w, r)
		if err == nil || r.Context().Err() != nil {
			return
		}
		e := p.fault(r, err)
		if err := p.show(w, r, e.Status, "error", frame{Title: e.Title, Who: e.who, Body: e}); err != nil {
			p.deps.Logger.ErrorContext(r.Context(), "the page of an error cannot be shown", "error", err)
			http.Error(w, "internal error", http.StatusInternalServerError)
		}
	})
}

// fault is an error as a page shows it.
type fault struct {
	Status      int
	Title, Text string
	Request     string // id in the log, of what is the operator's to look into
	who         access.Principal
}

func (p *Pages) fault(r *http.Request, err error) fault {
	who, _ := access.From(r.Context())
	f := fault{who: who}
	var bad faulty
	switch {
	case isAny(err, errNotFound, ledger.ErrNoTenant, ledger.ErrNoUser, ledger.ErrManyUser, ledger.ErrNoHeld, ledger.ErrManyHeld, ledger.ErrNoProduct, refresh.ErrNone):
		f.Status, f.Title = http.StatusNotFound, "Nothing is here"
		f.Text = "The page does not exist, or your role does not show it to you."
	case errors.Is(err, errForbidden):
		f.Status, f.Title = http.StatusForbidden, "Your role may not do that"
		f.Text = "You may look at this tenant, and change nothing of it. Ask an operator or the tenant's admin."
	case errors.As(err, &bad):
		f.Status, f.Title, f.Text = http.StatusBadRequest, "That cannot be done", bad.says
	default:
		f.Status, f.Title = http.StatusInternalServerError, "Something went wrong here"
		f.Text = "It is not your fault, and nothing was changed by it. Try again; if it stays, give the operator this id."
		f.Request = strings.ToLower(rand.Text()[:12])
		p.deps.Logger.ErrorContext(r.Context(), "a page failed", "request", f.Request, "method", r.Method, "pattern", r.Pattern, "error", err)
	}
	return f
}

func isAny(err error, targets ...error) bool {
	for _, t := range targets {
		if errors.Is(err, t) {
			return true
		}
	}
	return false
}
