package signin

import (
	"bytes"
	"crypto/rand"
	_ "embed"
	"html/template"
	"net/http"
	"net/url"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// shown is what the page shows.
type shown struct {
	Title       string
	Text        string // one sentence or two
	Alert       bool   // the text is about a failure
	Reference   string // by which the line in the log is found
	Subject     string // of somebody who is not let in, for whoever writes the access file
	Issuers     []shownIssuer
	Development bool
	Roles       []access.Role
	Next        string
	Onward      string // address of the issuer that a browser goes on to
	OnwardTo    string // and its name
}

type shownIssuer struct{ Name, Path string }

// page lets somebody choose how to sign in, or sends on who has.
func (s *SignIn) page(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	next := access.OwnPath(query.Get("next"))
	if _, err := s.Who(r); err == nil {
		access.SendOn(w, r, next)
		return
	}
	p := shown{Title: "Sign in", Next: next}
	switch {
	case query.Get("state") == signedOut:
		p.Text = "You are signed out."
	case query.Has("out"):
		p.Text = "You are signed out here. Where you have signed in you may still be."
	}
	s.choices(r, &p)
	if len(p.Issuers) == 0 && !p.Development {
		p.Text = "Nobody can sign in yet: the access file names no issuer. Whoever runs Rollcall sets center.access_file."
	}
	s.show(w, r, http.StatusOK, p)
}

// choices are the ways to sign in.
func (s *SignIn) choices(r *http.Request, p *shown) {
	for _, i := range s.deps.Access.Now(r.Context()).Issuers {
		path := "/sign-in/" + i.ID
		if p.Next != "/" && p.Next != "" {
			path += "?next=" + url.QueryEscape(p.Next)
		}
		p.Issuers = append(p.Issuers, shownIssuer{Name: i.Name, Path: path})
	}
	if s.cfg.Development && local(r) {
		p.Development, p.Roles = true, access.Roles
	}
}

// refusal is why nobody was signed in: Why for the log, Text for the person. Neither holds anything that was sent.
type refusal struct {
	Why       string
	Text      string
	Principal string // where somebody has proved who it is
	Subject   string // the same, as the access file would name it
	Issuer    string
	Err       error // for the log
}

// refuse tells somebody why, and how to go on.
func (s *SignIn) refuse(w http.ResponseWriter, r *http.Request, status int, f refusal) {
	reference := rand.Text()[:10]
	attrs := []any{"why", f.Why, "principal", f.Principal, "issuer", f.Issuer, "reference", reference}
	if f.Err != nil {
		attrs = append(attrs, "error", f.Err)
	}
	s.deps.Logger.WarnContext(r.Context(), "sign-in refused", attrs...)
	p := shown{Title: "You are not signed in", Text: f.Text, Alert: true, Reference: reference, Subject: f.Subject, Next: "/"}
	s.choices(r, &p)
	s.show(w, r, status, p)
}

// unavailable answers where what is needed to sign anybody in does not answer.
func (s *SignIn) unavailable(w http.ResponseWriter, r *http.Request, err error) {
	w.Header().Set("Retry-After", "5")
	s.refuse(w, r, http.StatusServiceUnavailable, refusal{
		Why: "unavailable", Err: err, Text: "Rollcall cannot sign anybody in at the moment. Please try again.",
	})
}

func (s *SignIn) show(w http.ResponseWriter, r *http.Request, status int, p shown) {
	var body bytes.Buffer
	if err := pageTemplate.Execute(&body, p); err != nil {
		s.deps.Logger.ErrorContext(r.Context(), "the page to sign in cannot be made", "error", err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes())
}
