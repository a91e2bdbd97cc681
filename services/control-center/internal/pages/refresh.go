package pages

import (
	"context"
	"fmt"
	"html/template"
	"net/http"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/refresh"
	"github.com/rollcall-hq/rollcall/services/internal/command"
)

// refreshPage is a complete read that somebody asked for: how far it is, or what has come of it.
type refreshPage struct {
	refresh.Refresh
	Holds []refreshHold
	Path  string
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
	_, err := p.commands.Send(r.Context(), s.Tenant.ID, key, event.RefreshRequested{RequestedBy: asker, By: s.Who.ID, Preview: mode == "preview"})
	if err != nil {
		return err
	}
	p.deps.Logger.InfoContext(r.Context(), "command", "tenant", s.Tenant.ID, "by", s.Who.ID, "role", string(s.Who.Role), "command", "refresh",
		"key", key, "mode", mode)
	http.Redirect(w, r, refreshPath(s, key), http.StatusSeeOther) //nolint:gosec // it begins with /tenants/ and an id that is known
	return nil
}

func refreshPath(s *scope, id string) string { return s.Path() + "/refreshes/" + id }

func (p *Pages) refresh(w http.ResponseWriter, r *http.Request, s *scope) error {
	told, err := p.deps.Refreshes.Get(r.Context(), s.Tenant.ID, r.PathValue("refresh"))
	if err != nil {
		return err
	}
	page := refreshPage{Refresh: told, Path: refreshPath(s, told.ID)}
	if told.Result != nil {
		for _, h := range told.Result.Holds {
			page.Holds = append(page.Holds, refreshHold{h, s.Product(h.Product), s.Path() + "/held/" + h.Held + "?product=" + h.Product})
		}
	}
	return p.show(w, r, http.StatusOK, "refresh", frame{Title: "Domain refresh", Section: "connections", Scope: s, Body: page})
}

// progressWords say how far a refresh is.
func progressWords(r refresh.Refresh) string {
	if r.State == refresh.Waiting || r.Progress == nil {
		return "Nothing is read yet."
	}
	doing := "Reading"
	if r.State == refresh.Comparing {
		doing = "Read, and comparing"
	}
	return fmt.Sprintf("%s: %s, %s, %s on %s so far.", doing, count(r.Progress.Users, "user", "users"), count(r.Progress.Groups, "group", "groups"),
		count(r.Progress.Memberships, "membership", "memberships"), count(r.Progress.Pages, "page", "pages"))
}

// refreshPatience is how long progress is told; a page that is still open then asks again.
const refreshPatience = 10 * time.Minute

// progress tells how far a refresh is, as it goes on, and ends with the word "done".
func (p *Pages) progress(w http.ResponseWriter, r *http.Request, s *scope) error {
	id := r.PathValue("refresh")
	if _, err := p.deps.Refreshes.Get(r.Context(), s.Tenant.ID, id); err != nil { // it is told here or nowhere: a stream has begun well
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
	// Whatever ends it early, the page comes again.
	_ = p.deps.Refreshes.Watch(ctx, s.Tenant.ID, id, func(told refresh.Refresh) error {
		if told.Result != nil {
			stream.say("done", "done")
			return stream.flush()
		}
		stream.say("progress", template.HTMLEscapeString(progressWords(told)))
		if err := stream.flush(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-p.deps.Clock.After(between):
		}
		return ctx.Err()
	})
	return nil
}
