package pages

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/answer"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/search"
)

// usersPage is a part of the list of users.
type usersPage struct {
	usersFilter
	Products []choice
	Rows     []userRow
	Count    string
	Next     string // address of the page behind this one
	First    string // address of the first page, where this is another one
	CSV      string
	Here     string // address of this page
	Columns  []column
	Fault    string // what is wrong with the search
	Live     bool   // it tells of now
	Unread   bool   // nothing can be said yet
}

// choice is one of several that a form offers.
type choice struct {
	Value, Text string
	Chosen      bool
}

// column is one of the table, with all that it can be sorted by.
type column struct {
	Order string // of the one that it is sorted by: ascending, descending, or empty
	Heads []head
}

// head is a word at the head of a column.
type head struct{ ID, Text, Link, Order string }

// userRow is one user of the list.
type userRow struct {
	ledger.UserRow
	Why string
}

// usersAPage is how many users are on a page.
const usersAPage = 50

func (p *Pages) users(w http.ResponseWriter, r *http.Request, s *scope) error {
	f := s.filterOf(r.URL.Query())
	page := usersPage{usersFilter: f, Unread: !s.State.Ready() || f.Product == "", Live: f.Until.IsZero(), Products: s.productChoices(f.Product)}
	status, notices := http.StatusOK, []notice(nil)
	base := s.Path() + "/users"
	page.Here, page.CSV = f.link(base, f.After), f.link(base+".csv", "")
	query, err := f.query(s)
	var fault *search.Error
	switch {
	case errors.As(err, &fault):
		page.Fault, status = sentence("The search cannot be read "+fault.Error()), http.StatusUnprocessableEntity
	case err != nil:
		return err
	case !page.Unread:
		query.Counted = true
		found, err := p.deps.Ledger.Users(r.Context(), query, f.After, usersAPage)
		if errors.Is(err, ledger.ErrNoPage) {
			return badRequest("The list has no such page any more. Begin again with the first.")
		}
		if err != nil {
			return err
		}
		page.take(s, f, base, found)
		notices = append(s.removedNotices(f.Product), listNotices(found)...)
	}
	page.Columns = f.columns(base)
	return p.show(w, r, status, "users", frame{Title: "Users", Section: "users", Scope: s, Notices: notices, Body: page})
}

// take fills the page with what was found.
func (page *usersPage) take(s *scope, f usersFilter, base string, found ledger.UsersPage) {
	for _, u := range found.Users {
		page.Rows = append(page.Rows, userRow{UserRow: u, Why: s.why(f.Product, u)})
	}
	page.Count = strings.TrimSuffix(sentence(upToUsers(found.Count)), ".")
	if found.Next != "" {
		page.Next = f.link(base, found.Next)
	}
	if f.After != "" {
		page.First = f.link(base, "")
	}
}

// why is the reason of a decision as a sentence.
func (s *scope) why(product string, u ledger.UserRow) string {
	if u.Reason == "" {
		return "Never licensed until then."
	}
	p, err := answer.Product(s.State, product)
	if err != nil { // which is not so where there are rows
		p.ID = product
	}
	d := answer.Listed(s.Tenant.ID, p, u)
	return sentence(d.Because())
}

// removedNotices say that a list is of a product that the tenant has no longer.
func (s *scope) removedNotices(product string) []notice {
	p, err := answer.Product(s.State, product)
	if err != nil || !answer.Removed(p) {
		return nil
	}
	return []notice{{
		Kind: "info", Title: s.Product(product) + " is no longer a product of this tenant",
		Text: "Nobody is decided for it any more: who held a license when it was removed holds it.",
	}}
}

// listNotices say what a reader of the list would take for something else.
func listNotices(found ledger.UsersPage) (all []notice) {
	if len(found.Unknown) > 0 {
		all = append(all, notice{Kind: "warn", Title: "No group has the address " + strings.Join(found.Unknown, ", "), Text: "So nobody is in it."})
	}
	if len(found.Unread) > 0 {
		all = append(all, notice{
			Kind: "warn", Title: "The members of " + strings.Join(found.Unread, ", ") + " are not kept",
			Text: "Kept are the members of provisioning groups, and of the groups inside them.",
		})
	}
	if found.Cut {
		all = append(all, notice{Kind: "info", Title: "There may be more", Text: "So few match that looking further takes long: go on with the next page."})
	}
	return all
}

// productChoices are the tenant's products.
func (s *scope) productChoices(chosen string) (all []choice) {
	for _, p := range s.State.Products {
		if !answer.Removed(p) || p.ID == chosen { // whoever names one that was removed is answered
			all = append(all, choice{p.ID, s.Product(p.ID), p.ID == chosen})
		}
	}
	return all
}

// usersFilter is what a list of users is asked for, as it stands in the address of the page.
type usersFilter struct {
	Product, Search, Group, Licensed, Status, Activated, Reason string

	Day        string // as of its end; empty: now
	Until      time.Time
	Sort       string
	Descending bool
	After      string
}

// sorts are the orders that a list can be asked for in.
var sorts = []ledger.UsersSort{
	ledger.SortName, ledger.SortAddress, ledger.SortStatus, ledger.SortLicensed, ledger.SortSince, ledger.SortChange,
}

func (s *scope) filterOf(q url.Values) usersFilter {
	text := func(name string) string { return strings.TrimSpace(q.Get(name)) }
	f := usersFilter{
		Product: text("product"), Search: text("q"), Group: text("group"), Licensed: text("licensed"), Status: text("status"),
		Activated: text("activated"), Reason: text("reason"), Day: text("day"), Sort: text("sort"), Descending: text("desc") == "1", After: text("after"),
	}
	if !slices.Contains(sorts, ledger.UsersSort(f.Sort)) {
		f.Sort = ""
	}
	if f.Product == "" {
		for _, p := range s.Tenant.Products { // the first that the ledger knows
			for _, state := range s.State.Products {
				if f.Product == "" && state.ID == p.ID {
					f.Product = p.ID
				}
			}
		}
	}
	if day, err := time.Parse(time.DateOnly, f.Day); err != nil {
		f.Day = ""
	} else if end := day.AddDate(0, 0, 1).Add(-time.Microsecond); end.Before(s.Now) {
		f.Until = end
	}
	return f
}

// link is the address of the list that is asked for.
func (f usersFilter) link(base, after string) string {
	q := url.Values{}
	for _, field := range []struct{ name, value string }{
		{"product", f.Product},
		{"q", f.Search},
		{"group", f.Group},
		{"licensed", f.Licensed},
		{"status", f.Status},
		{"activated", f.Activated},
		{"reason", f.Reason},
		{"day", f.Day},
		{"sort", f.Sort},
		{"after", after},
	} {
		if field.value != "" {
			q.Set(field.name, field.value)
		}
	}
	if f.Descending {
		q.Set("desc", "1")
	}
	return base + "?" + q.Encode()
}

// query is the filter for the ledger. What is chosen is asked for together with what is typed.
func (f usersFilter) query(s *scope) (ledger.UsersQuery, error) {
	typed, err := search.Parse(f.Search)
	q := ledger.UsersQuery{Tenant: s.Tenant.ID, Product: f.Product, Sort: ledger.UsersSort(f.Sort), Descending: f.Descending, At: f.Until}
	var all search.All
	add := func(n search.Node) { all = append(all, n) }
	if inner, is := typed.(search.All); is {
		all = append(all, inner...)
	} else if typed != nil {
		add(typed)
	}
	is := func(state search.State) search.Term { return search.Term{Field: search.Is, Value: string(state)} }
	yesOrNo := func(value string, state search.State) {
		switch value {
		case "yes":
			add(is(state))
		case "no":
			add(search.Not{Node: is(state)})
		}
	}
	if f.Group != "" {
		add(search.Term{Field: search.Group, Value: f.Group})
	}
	yesOrNo(f.Licensed, search.Licensed)
	yesOrNo(f.Activated, search.Activated)
	for _, state := range []search.State{search.Active, search.Suspended, search.Deleted, search.Guest, search.Held, search.Waiting} {
		if f.Status == string(state) {
			add(is(state))
		}
	}
	if f.Reason != "" {
		add(search.Term{Field: search.Reason, Value: strings.ToLower(f.Reason)})
	}
	switch len(all) {
	case 0:
	case 1:
		q.Search = all[0]
	default:
		q.Search = all
	}
	return q, err
}

// columns are the heads of the table.
func (f usersFilter) columns(base string) (all []column) {
	sorted := f.Sort
	if sorted == "" {
		sorted = string(ledger.SortName)
	}
	for _, heads := range [][]head{
		{{"sort-name", "Name", string(ledger.SortName), ""}, {"sort-address", "Address", string(ledger.SortAddress), ""}},
		{{"sort-licensed", "Licensed", string(ledger.SortLicensed), ""}},
		{{Text: "Why"}},
		{{"sort-status", "Directory", string(ledger.SortStatus), ""}},
		{{Text: "Activated"}},
		{{"sort-since", "Since", string(ledger.SortSince), ""}},
		{{"sort-change", "Last change", string(ledger.SortChange), ""}},
	} {
		c := column{Heads: heads}
		for i, h := range heads {
			if h.Link == "" {
				continue
			}
			other := f
			other.Sort, other.Descending = h.Link, sorted == h.Link && !f.Descending
			if sorted == h.Link {
				c.Order = map[bool]string{true: "descending", false: "ascending"}[f.Descending]
				heads[i].Order = c.Order
			}
			heads[i].Link = other.link(base, "")
		}
		all = append(all, c)
	}
	return all
}

// LicensedChoices and the others are what the form offers.
func (f usersFilter) LicensedChoices() []choice {
	return choices(f.Licensed, "", "Licensed or not", "yes", "Licensed", "no", "Not licensed")
}

// ActivatedChoices are those of the first sign-in.
func (f usersFilter) ActivatedChoices() []choice {
	return choices(f.Activated, "", "Activated or not", "yes", "Activated", "no", "Not activated")
}

// StatusChoices are those of what a user is in the directory, and to the rules.
func (f usersFilter) StatusChoices() []choice {
	return choices(f.Status, "", "Any status", "active", "Active", "suspended", "Suspended", "deleted", "Deleted", "guest", "Guest",
		"held", "In a held change", "waiting", "Waiting for a seat")
}

// ReasonChoices are those of why.
func (f usersFilter) ReasonChoices() []choice {
	return choices(f.Reason, "", "Any reason", "domain-default", "Everybody is", "group-member", "In the group", "not-a-member", "Not in the group",
		"suspended", "Suspended", "deleted", "Deleted", "guest", "Guest", "over-seat-limit", "No seat was free", "held", "Revocation parked",
		"disconnected", "Tenant disconnected")
}

func choices(chosen string, pairs ...string) (all []choice) {
	for pair := range slices.Chunk(pairs, 2) {
		all = append(all, choice{Value: pair[0], Text: pair[len(pair)-1], Chosen: pair[0] == chosen})
	}
	return all
}
