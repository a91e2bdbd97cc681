package pages

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/answer"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// activityPage is a part of what has happened, the last of it first.
type activityPage struct {
	Products, Kinds []choice
	Until           string // the day up to whose end; empty: now
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

// kinds are the sorts of events that can be asked for, by the beginning of their types.
var kinds = map[string]string{
	"licenses": "io.rollcall.license.", "policy": "io.rollcall.policy.", "seats": "io.rollcall.seats.", "held": "io.rollcall.held.",
	"connection": "io.rollcall.connection.",
}

func (p *Pages) activity(w http.ResponseWriter, r *http.Request, s *scope) error {
	q := r.URL.Query()
	f := activityFilter{Product: q.Get("product"), Kind: q.Get("what"), Until: q.Get("until"), Before: q.Get("before")}
	if kinds[f.Kind] == "" {
		f.Kind = ""
	}
	page := activityPage{
		Products: append([]choice{{"", "All products", f.Product == ""}}, s.productChoices(f.Product)...),
		Kinds: choices(f.Kind, "", "Everything", "licenses", "Licenses", "policy", "Modes and settings", "seats", "Seats", "held", "Held changes",
			"connection", "Connection"),
	}
	end := s.Now.Add(time.Minute) // a clock of a worker may be ahead
	if day, err := time.Parse(time.DateOnly, f.Until); err == nil {
		end, page.Until = day.AddDate(0, 0, 1), f.Until
	}
	cursor, err := cursorOf(f.Before)
	if err != nil {
		return err
	}
	page.Live = page.Until == "" && cursor == nil
	base := s.Path() + "/activity"
	page.Here = f.link(base, f.Before)
	if s.Known {
		found, more, err := p.latest(r.Context(), s.Tenant.ID, f, end, cursor)
		if err != nil {
			return err
		}
		if page.Rows, err = p.activityRows(r.Context(), s, found); err != nil {
			return err
		}
		if more {
			page.Next = f.link(base, placeOf(found[len(found)-1]).String())
		}
	}
	if cursor != nil {
		page.First = f.link(base, "")
	}
	return p.show(w, r, http.StatusOK, "activity", frame{Title: "Activity", Section: "activity", Scope: s, Body: page})
}

// activityFilter is which events are asked for, as it stands in the address of the page.
type activityFilter struct{ Product, Kind, Until, Before string }

func (f activityFilter) link(base, before string) string {
	q := url.Values{}
	for _, field := range []struct{ name, value string }{{"product", f.Product}, {"what", f.Kind}, {"until", f.Until}, {"before", before}} {
		if field.value != "" {
			q.Set(field.name, field.value)
		}
	}
	if len(q) == 0 {
		return base
	}
	return base + "?" + q.Encode()
}

// eventPlace is where a page of events ends: at that one.
type eventPlace struct {
	at       time.Time
	product  string
	sequence uint64
}

func placeOf(a ledger.Audited) eventPlace { return eventPlace{a.At, a.Product, a.Sequence} }

func (c eventPlace) String() string {
	return fmt.Sprintf("%d.%s.%d", c.at.UnixMicro(), c.product, c.sequence)
}

func cursorOf(text string) (*eventPlace, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // the begin is no place
	}
	parts := strings.Split(text, ".")
	if len(parts) == 3 {
		at, atErr := strconv.ParseInt(parts[0], 10, 64)
		sequence, seqErr := strconv.ParseUint(parts[2], 10, 64)
		if atErr == nil && seqErr == nil && event.ValidSlug(parts[1]) {
			return &eventPlace{time.UnixMicro(at), parts[1], sequence}, nil
		}
	}
	return nil, badRequest("The list has no such page. Begin again with the first.")
}

var errReached = errors.New("reached")

// latest returns the last events before a place, or before a moment, and whether there are more. It looks back for an hour
// first, and further where that holds too few: whatever happens, it keeps no more than a page of them.
func (p *Pages) latest(ctx context.Context, tenant string, f activityFilter, end time.Time, before *eventPlace) (found []ledger.Audited, more bool, err error) {
	if before != nil {
		end = before.at.Add(time.Microsecond)
	}
	for back := time.Hour; ; back *= 8 {
		q := ledger.AuditQuery{Tenant: tenant, Product: f.Product, Until: end, Since: end.Add(-back)}
		whole := back > reach
		if whole {
			q.Since = time.Time{}
		}
		found, err = p.between(ctx, q, kinds[f.Kind], before)
		if err != nil {
			return nil, false, err
		}
		if len(found) > eventsAPage || whole {
			break
		}
	}
	more = len(found) > eventsAPage
	return found[:min(len(found), eventsAPage)], more, nil
}

// reach is how far back is looked in steps; then all is looked at.
const reach = 90 * 24 * time.Hour

// between returns the last events of a stretch of time, the last one first: a page and one more.
func (p *Pages) between(ctx context.Context, q ledger.AuditQuery, kind string, before *eventPlace) (found []ledger.Audited, err error) {
	ring, n := make([]ledger.Audited, eventsAPage+1), 0
	err = p.deps.Ledger.Audit(ctx, q, func(a ledger.Audited) error {
		if before != nil && a.Product == before.product && a.Sequence == before.sequence {
			return errReached
		}
		if strings.HasPrefix(a.Type, kind) {
			ring[n%len(ring)] = a
			n++
		}
		return nil
	})
	if err != nil && !errors.Is(err, errReached) {
		return nil, err
	}
	for i := range min(n, len(ring)) {
		found = append(found, ring[(n-1-i)%len(ring)])
	}
	return found, nil
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
