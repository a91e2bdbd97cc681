package pages

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/session"
	"github.com/rollcall-hq/rollcall/services/internal/command"
	"github.com/rollcall-hq/rollcall/services/internal/connect"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

// steps are what there is to do until a directory is connected, and how far it is.
type steps struct {
	*connection
	Shown   connect.Shown
	Checked bool
	Proof   connect.Proof
	// Again: consent was given a moment ago, and is looked for again by the page itself.
	Again bool
	Key   string
}

// Entra reports whether an admin consents; otherwise one delegates.
func (s steps) Entra() bool { return s.Wanted.Provider == directory.Entra }

// Scopes is the line that an admin copies.
func (s steps) Scopes() string { return strings.Join(s.Shown.Scopes, ",") }

// step is one thing that was looked at.
type step struct {
	Name  string
	Badge badge
	receiver.Finding
}

var stepBadges = map[receiver.FindingState]badge{
	receiver.Passed:  {"good", "check", "Done"},
	receiver.Failed:  {"bad", "x", "To do"},
	receiver.Unknown: {"warn", "clock", "Not known yet"},
	receiver.Blind:   {"plain", "minus", "Never readable"},
}

// Steps are those that can be done; Blind is what nobody can do anything about.
func (s steps) Steps() []step {
	return s.only(func(f receiver.Finding) bool { return f.State != receiver.Blind })
}

// Blind is what can never be read.
func (s steps) Blind() []step {
	return s.only(func(f receiver.Finding) bool { return f.State == receiver.Blind })
}

func (s steps) only(which func(receiver.Finding) bool) (all []step) {
	for _, f := range s.Proof.Findings {
		if which(f) {
			b := stepBadges[f.State]
			if f.State == receiver.Unknown && f.Action == "" {
				b = badge{"plain", "minus", "Nothing to do"}
			}
			all = append(all, step{Name: strings.TrimSuffix(sentence(strings.ReplaceAll(f.Check, "-", " ")), "."), Badge: b, Finding: f})
		}
	}
	return all
}

// consentPatience is how long after consent the page looks for it by itself.
const consentPatience = 2 * time.Minute

func (p *Pages) showConnect(w http.ResponseWriter, r *http.Request, c *connection) error {
	return p.showSteps(w, r, http.StatusOK, c, steps{Again: p.fresh(c)})
}

// fresh reports whether consent was given so short a time ago that the provider may not know of it everywhere.
func (p *Pages) fresh(c *connection) bool {
	return !c.Consented.IsZero() && p.deps.Clock.Now().Sub(c.Consented) < consentPatience
}

// checkConnect has a receiver look at the directory.
func (p *Pages) checkConnect(w http.ResponseWriter, r *http.Request, c *connection) error {
	if wait, ok := p.deps.Connector.Allow(c.Who); !ok {
		w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
		return p.showSteps(w, r, http.StatusTooManyRequests, c, steps{}, notice{Kind: "warn", Title: "Not so often", Text: "Please wait a moment before you check again."})
	}
	found, err := p.deps.Connector.Check(r.Context(), c.Wanted)
	if err != nil {
		return p.showSteps(w, r, http.StatusOK, c, steps{}, p.connectTrouble(r, err))
	}
	return p.showSteps(w, r, http.StatusOK, c, steps{Checked: true, Proof: found, Again: !found.Complete && p.fresh(c)})
}

func (p *Pages) showSteps(w http.ResponseWriter, r *http.Request, status int, c *connection, s steps, notices ...notice) error {
	var err error
	if s.Shown, err = p.deps.Receivers.Describe(r.Context(), c.Wanted.Provider); err != nil && len(notices) == 0 {
		notices = append(notices, p.connectTrouble(r, err))
	}
	if c.Declined && !s.Checked {
		notices = append(notices, notice{Kind: "warn", Title: "Consent was not given", Text: "Nothing was connected. Somebody who may consent for the whole directory has to accept."})
	}
	s.connection, s.Key = c, newKey()
	return p.show(w, r, status, "connect_steps", frame{Title: "Connect " + c.Wanted.Tenant, Who: c.Who, Notices: notices, Body: s})
}

// finishConnect has the tenant stored, once everything is proved.
func (p *Pages) finishConnect(w http.ResponseWriter, r *http.Request, c *connection) error {
	key := r.PostForm.Get("key")
	if !command.ValidKey(key) {
		return badRequest("The form names no key.")
	}
	found, err := p.deps.Connector.Connect(r.Context(), c.Who, c.Wanted, key)
	if err != nil {
		return p.showSteps(w, r, http.StatusConflict, c, steps{Checked: len(found.Findings) > 0, Proof: found}, p.connectTrouble(r, err))
	}
	if err := p.deps.Errands.TakeErrand(r, errandConnect, c.Name, new(connectErrand)); err != nil && !errors.Is(err, session.ErrNoErrand) {
		return err
	}
	return goOn(w, r, "/tenants/"+c.Wanted.Tenant+"/connections", saidConnected)
}
