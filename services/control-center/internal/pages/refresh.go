package pages

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/command"
)

// refreshPage is a complete read that somebody asked for: how far it is, or what has come of it.
type refreshPage struct {
	ID     string
	At     uint64 // where the command stands on LEDGER_IN
	Done   bool
	Result event.RefreshCompleted
	Holds  []refreshHold
	Path   string
}

// refreshHold is what a preview has found for one product.
type refreshHold struct {
	event.RefreshHold
	Called, Path string
}

// asker says in a refresh what asked for it, beside who.
const asker = "control-center"

// startRefresh asks for one, and goes on to its page.
func (p *Pages) startRefresh(w http.ResponseWriter, r *http.Request, s *scope) error {
	key, mode := r.PostFormValue("key"), r.PostFormValue("mode")
	if !command.ValidKey(key) || mode != "preview" && mode != "apply" {
		return badRequest("The form says what cannot be.")
	}
	sent, err := p.commands.Send(r.Context(), s.Tenant.ID, key, event.RefreshRequested{RequestedBy: asker, By: s.Who.ID, Preview: mode == "preview"})
	if err != nil {
		return err
	}
	p.deps.Logger.InfoContext(r.Context(), "command", "tenant", s.Tenant.ID, "by", s.Who.ID, "role", string(s.Who.Role), "command", "refresh",
		"key", key, "mode", mode)
	to := fmt.Sprintf("%s/refreshes/%s?at=%d", s.Path(), key, sent.Sequence)
	http.Redirect(w, r, to, http.StatusSeeOther) //nolint:gosec // it begins with /tenants/ and an id that is known
	return nil
}

// refreshOf reads which refresh a request is about. One that nobody has asked for is not there: it would be waited for in vain, in
// all that the stream has of the tenant.
func (p *Pages) refreshOf(r *http.Request, s *scope) (page refreshPage, err error) {
	key := r.PathValue("refresh")
	page.At, err = strconv.ParseUint(r.URL.Query().Get("at"), 10, 64)
	if err != nil || page.At == 0 || !command.ValidKey(key) {
		return page, errNotFound
	}
	page.ID = event.CommandID(s.Tenant.ID, command.VerbRefresh, key)
	page.Path = fmt.Sprintf("%s/refreshes/%s", s.Path(), key)
	err = p.deps.Bus.Read(r.Context(), bus.ReadSpec{
		Stream: bus.LedgerIn, Filters: []string{"command.*." + s.Tenant.ID + "." + command.VerbRefresh}, FromSequence: page.At,
	}, func(m bus.Message) error {
		if m.Sequence == page.At && m.Fault == nil && m.Event.ID() == page.ID {
			return errShown
		}
		return errNotFound
	})
	switch {
	case errors.Is(err, errShown):
		return page, nil
	case err == nil: // nothing stands there
		return page, errNotFound
	}
	return page, err
}

func (p *Pages) refresh(w http.ResponseWriter, r *http.Request, s *scope) error {
	page, err := p.refreshOf(r, s)
	if err != nil {
		return err
	}
	err = p.deps.Bus.Read(r.Context(), bus.ReadSpec{
		Stream: bus.LedgerIn, Filters: []string{"command.*." + s.Tenant.ID + ".refreshed"}, FromSequence: page.At,
	}, func(m bus.Message) error {
		result, is, err := completed(m, page.ID)
		if is {
			page.Done, page.Result = true, result
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, h := range page.Result.Holds {
		page.Holds = append(page.Holds, refreshHold{h, s.Product(h.Product), s.Path() + "/held/" + h.Held + "?product=" + h.Product})
	}
	return p.show(w, r, http.StatusOK, "refresh", frame{Title: "Domain refresh", Section: "connections", Scope: s, Body: page})
}

// completed reads the answer to a refresh, if a message is it.
func completed(m bus.Message, id string) (result event.RefreshCompleted, is bool, err error) {
	if m.Fault != nil || m.Event.Type() != event.TypeRefreshCompleted {
		return result, false, nil
	}
	result, err = event.Data[event.RefreshCompleted](m.Event)
	return result, err == nil && (event.Cause(m.Event) == id || result.Snapshot == id), err
}

// seenSoFar counts what a read has shown.
type seenSoFar struct {
	users, groups, members, pages int
	compared                      bool
	told                          time.Time
}

func (c *seenSoFar) take(m bus.Message, id string) error {
	switch m.Event.Type() {
	case event.TypeDirectoryObserved:
		data, err := event.Data[event.DirectoryObserved](m.Event)
		if err != nil || data.Snapshot != id {
			return err
		}
		c.pages++
		for _, o := range data.Observations {
			switch {
			case o.User != nil:
				c.users++
			case o.Group != nil:
				c.groups++
			case o.Membership != nil:
				c.members++
			}
		}
	case event.TypeSnapshotEnded:
		data, err := event.Data[event.SnapshotEnded](m.Event)
		if err != nil {
			return err
		}
		c.compared = c.compared || data.Snapshot == id
	}
	return nil
}

func (c *seenSoFar) String() string {
	if c.pages == 0 {
		return "Nothing is read yet."
	}
	doing := "Reading"
	if c.compared {
		doing = "Read, and comparing"
	}
	return fmt.Sprintf("%s: %s, %s, %s on %s so far.", doing, count(c.users, "user", "users"), count(c.groups, "group", "groups"),
		count(c.members, "membership", "memberships"), count(c.pages, "page", "pages"))
}

// refreshPatience is how long progress is told; a page that is still open then asks again.
const refreshPatience = 10 * time.Minute

// progress tells how far a refresh is, as it goes on, and ends with the word "done".
func (p *Pages) progress(w http.ResponseWriter, r *http.Request, s *scope) error {
	page, err := p.refreshOf(r, s)
	if err != nil {
		return err
	}
	slot, err := p.deps.Live.Open(s.Who.ID, s.Tenant.ID, "", "")
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return nil //nolint:nilerr // the browser is told, and comes again
	}
	defer slot.Close()
	stream, err := openStream(w)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), refreshPatience)
	defer cancel()
	go func() { // it ends with the process too, and with the right to see it
		defer cancel()
		still := p.still(ctx, s)
		for more := true; more && still(); {
			_, more = slot.Next(ctx, silence)
		}
	}()
	var c seenSoFar
	_ = p.deps.Bus.Read(ctx, bus.ReadSpec{
		Stream: bus.LedgerIn, FromSequence: page.At, Follow: true,
		Filters: []string{"directory.*." + s.Tenant.ID + ".>", "command.*." + s.Tenant.ID + ".refreshed"},
	}, func(m bus.Message) error {
		if m.Fault != nil {
			return nil
		}
		if _, is, err := completed(m, page.ID); is || err != nil {
			stream.say("done", "done")
			return errors.Join(stream.flush(), errShown)
		}
		if err := c.take(m, page.ID); err != nil {
			return err
		}
		if now := time.Now(); now.Sub(c.told) > between || c.compared {
			c.told = now
			stream.say("progress", template.HTMLEscapeString(c.String()))
			return stream.flush()
		}
		return nil
	})
	return nil
}
