package pages

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/command"
)

// newKey is the idempotency key of a form: sent twice, it counts once.
func newKey() string { return rand.Text() }

// order gives a command under the key of its form, and waits for what becomes of it. Without an error the page goes on to
// where it says; a refusal is for the page that the form was on.
func (p *Pages) order(r *http.Request, s *scope, data any) (said string, err error) {
	key := r.PostFormValue("key")
	if !command.ValidKey(key) { // without one it would count as often as it is sent; and what is none is for no log
		return "", badRequest("The form names no key.")
	}
	sent, err := p.commands.Send(r.Context(), s.Tenant.ID, key, data)
	if err == nil {
		ctx, cancel := context.WithTimeout(r.Context(), p.deps.Patience)
		defer cancel()
		_, err = p.commands.Wait(ctx, sent)
	}
	p.note(r, s, fmt.Sprintf("%T", data), key, err)
	switch {
	case err == nil:
		return saidDone, nil
	case errors.Is(err, command.ErrNoAnswer):
		return saidLater, nil
	case errors.Is(err, command.ErrInvalid):
		return "", badRequest("The form says what cannot be.")
	default:
		return "", err
	}
}

// note writes the line of something that was ordered, and what has come of it.
func (p *Pages) note(r *http.Request, s *scope, command, key string, err error) {
	outcome := event.OutcomeDone
	if err != nil {
		outcome = err.Error()
	}
	p.deps.Logger.InfoContext(r.Context(), "command", "tenant", s.Tenant.ID, "by", s.Who.ID, "role", string(s.Who.Role),
		"command", command, "key", key, "outcome", outcome)
}

// What a page says when it is shown after a command.
const (
	saidDone    = "done"
	saidLater   = "later"
	saidChecked = "checked"
	saidTested  = "tested"
	// saidConnected is on the page of the tenant that was connected.
	saidConnected = "connected"
)

// said are the words behind them.
func said(r *http.Request) []notice {
	n, known := map[string]notice{
		saidDone:      {Kind: "good", Title: "Done", Text: "It holds from now on, and the record has it under your name."},
		saidLater:     {Kind: "info", Title: "Not answered yet", Text: "The command is stored, and is obeyed as soon as a worker comes to it. Nothing needs to be sent again."},
		saidChecked:   {Kind: "good", Title: "Checked again", Text: "The directory was asked about this user just now. What it showed is below."},
		saidConnected: {Kind: "good", Title: "Connected", Text: "The directory is being read for the first time. What is known of it comes here as it is read."},
		saidTested:    {Kind: "good", Title: "A test was sent", Text: "Each destination has taken it."},
	}[r.URL.Query().Get("said")]
	if !known {
		return nil
	}
	return []notice{n}
}

// refusal is what a page says of a command that was not obeyed; nil where err is something else.
func refusal(err error) (notices []notice, answer event.Answered) {
	refused, is := errors.AsType[*command.Refused](err)
	switch {
	case errors.Is(err, command.ErrKeyUsed):
		return []notice{{Kind: "warn", Title: "This form was sent before", Text: "It said something else then, and that counts. Below is how it stands now."}}, answer
	case !is:
		return nil, answer
	}
	return []notice{{Kind: "bad", Title: "It was not done", Text: sentence(refused.Error())}}, refused.Answer
}

// goOn sends the browser to a page of the tenant.
func goOn(w http.ResponseWriter, r *http.Request, path, said string) error {
	to, err := url.Parse(path)
	if err != nil {
		return fmt.Errorf("go on: %w", err)
	}
	q := to.Query()
	q.Set("said", said)
	to.RawQuery = q.Encode()
	http.Redirect(w, r, to.String(), http.StatusSeeOther) //nolint:gosec // path begins with /tenants/ and an id that is known
	return nil
}
