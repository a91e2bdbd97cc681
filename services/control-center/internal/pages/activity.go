package pages

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"github.com/rollcall-hq/rollcall/services/internal/answer"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// activityPage is a part of what has happened, the last of it first.
type activityPage struct {
	Products, Kinds []choice
	Live            bool
	Here            string
	Next, First     string
	Rows            []activityRow
}

// activityRow is one event of LICENSES.
type activityRow struct {
	ledger.Audited
	Badge         badge
	Called        string // the product
	Says          string
	Path          []answer.Step
	Held, HeldRef string // the held change that it is about
	Chain         []string
}

// eventsAPage is how many events are on a page.
const eventsAPage = 50

// kinds are the sorts of events that can be asked for, by the area of their types.
var kinds = map[string]string{"licenses": "license", "policy": "policy", "seats": "seats", "held": "held", "activations": "user", "connection": "connection"}

func (p *Pages) activity(w http.ResponseWriter, r *http.Request, s *scope) error {
	q := r.URL.Query()
	f := activityFilter{Product: q.Get("product"), Kind: q.Get("what"), Before: q.Get("before")}
	if kinds[f.Kind] == "" {
		f.Kind = ""
	}
	base := s.Path() + "/activity"
	page := activityPage{
		Products: append([]choice{{"", "All products", f.Product == ""}}, s.productChoices(f.Product)...),
		Kinds: choices(f.Kind, "", "Everything", "licenses", "Licenses", "policy", "Modes and settings", "seats", "Seats", "held", "Held changes",
			"activations", "First sign-ins", "connection", "Connection"),
		Live: f.Before == "", Here: f.link(base, f.Before),
	}
	if s.Known {
		found, err := p.deps.Ledger.Activity(r.Context(), ledger.ActivityQuery{
			Tenant: s.Tenant.ID, Product: f.Product, Area: kinds[f.Kind], Before: f.Before, Limit: eventsAPage,
		})
		if errors.Is(err, ledger.ErrNoPage) {
			return badRequest("The list has no such page. Begin again with the first.")
		}
		if err != nil {
			return err
		}
		if page.Rows, err = p.activityRows(r.Context(), s, found.Events); err != nil {
			return err
		}
		if found.Next != "" {
			page.Next = f.link(base, found.Next)
		}
	}
	if f.Before != "" {
		page.First = f.link(base, "")
	}
	return p.show(w, r, http.StatusOK, "activity", frame{Title: "Activity", Section: "activity", Scope: s, Body: page})
}

// activityFilter is which events are asked for, as it stands in the address of the page.
type activityFilter struct{ Product, Kind, Before string }

func (f activityFilter) link(base, before string) string {
	q := url.Values{}
	for _, field := range []struct{ name, value string }{{"product", f.Product}, {"what", f.Kind}, {"before", before}} {
		if field.value != "" {
			q.Set(field.name, field.value)
		}
	}
	if len(q) == 0 {
		return base
	}
	return base + "?" + q.Encode()
}

func (p *Pages) activityRows(ctx context.Context, s *scope, found []ledger.Audited) (rows []activityRow, err error) {
	chains, err := p.deps.Ledger.Chains(ctx, s.Tenant.ID)
	if err != nil {
		return nil, err
	}
	for _, a := range found {
		row := activityRow{Audited: a, Badge: recordBadge(a.Type), Called: s.Product(a.Product)}
		if a.User != "" {
			row.Says = sentence(reasonWord(a.Reason))
		} else {
			row.Says = recordSays(a.Type, a.Data)
			row.concern(s)
		}
		for _, g := range a.Path {
			row.Path = append(row.Path, answer.Step(g))
		}
		links, err := chains.Of(ctx, a.Cause)
		if err != nil {
			return nil, err
		}
		row.Chain = chainWords(links)
		rows = append(rows, row)
	}
	return rows, nil
}

// concern finds the held change, or the user, that a record is about.
func (row *activityRow) concern(s *scope) {
	var about struct {
		Held string `json:"held"`
		User string `json:"user"`
	}
	if json.Unmarshal(row.Data, &about) != nil {
		return
	}
	row.User = about.User
	if about.Held != "" {
		row.HeldRef, row.Held = about.Held, s.Path()+"/held/"+url.PathEscape(about.Held)+"?product="+url.QueryEscape(row.Product)
	}
}
