package authzen

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/paging"
)

// searched are the results of a search.
type searched struct {
	Page    *resultPage `json:"page,omitempty"`
	Context *why        `json:"context,omitempty"`
	Results []result    `json:"results"`
}

// result is a resource, a subject or, with a name alone, an action.
type result struct {
	Type       string            `json:"type,omitempty"`
	ID         string            `json:"id,omitempty"`
	Name       string            `json:"name,omitempty"`
	Properties map[string]string `json:"properties,omitempty"`
}

// resultPage says where a page ends.
type resultPage struct {
	NextToken string `json:"next_token"`
	Count     int    `json:"count"`
	Total     *int   `json:"total,omitempty"` // where all are known
}

// none is an empty result, and why.
func none(reason string) searched {
	return searched{Context: &why{Reason: reason}, Results: []result{}}
}

// wanted is which part of the results is asked for.
type wanted struct {
	list  paging.List
	limit int
	after []string // where the page begins; nil: at the first
}

// page reads it. A token holds for the question that it was given for, with its limit.
func (f fields) page(list paging.List) (w wanted, err error) {
	w = wanted{list: list}
	if f["page"] == nil {
		w.limit = paging.Limit(0)
		return w, nil
	}
	inside, err := f.object("/page", "page")
	if err != nil {
		return w, err
	}
	limit := 0
	if raw, there := inside["limit"]; there && (json.Unmarshal(raw, &limit) != nil || limit < 0) {
		return w, invalid("body:/page/limit", "want a number from 0 on")
	}
	token, err := inside.text("/page", "token", false)
	if err != nil {
		return w, err
	}
	w.limit = paging.Limit(limit)
	position, err := list.Read(token, 2)
	if err != nil || position == nil {
		return w, err
	}
	told, err := strconv.Atoi(position[0])
	if err != nil || limit != 0 && paging.Limit(limit) != told {
		return w, invalid("body:/page/limit", "it is another one than with the first page")
	}
	w.limit, w.after = paging.Limit(told), position[1:]
	return w, nil
}

// token says where the next page begins.
func (w wanted) token(position string) string { return w.list.Cursor(strconv.Itoa(w.limit), position) }

// cut makes a page of results that are all known: there are few products and actions.
func (w wanted) cut(all []result, key func(result) string) searched {
	begun := w.after == nil
	items, more := paging.Cut(all, func(r result) bool {
		if !begun {
			begun = key(r) == w.after[0]
			return false
		}
		return true
	}, w.limit)
	total := len(all)
	told := searched{Results: items, Page: &resultPage{Count: len(items), Total: &total}}
	if more {
		told.Page.NextToken = w.token(key(items[len(items)-1]))
	}
	return told
}

// searchResource finds the products for which a user may take an action.
func (s *session) searchResource(f fields) (any, error) {
	var q question
	var err error
	if q.subject, err = f.entity("", "subject", false); err != nil {
		return nil, err
	}
	if q.action, err = f.action(""); err != nil {
		return nil, err
	}
	if q.resource, err = f.entity("", "resource", true); err != nil {
		return nil, err
	}
	q.resource.id = "" // it is what is searched for
	if q.counterpart, err = f.counterpart(""); err != nil {
		return nil, err
	}
	w, err := f.page(paging.Of("resource", q.asked()...))
	if err != nil {
		return nil, err
	}
	t, reason, err := s.place(q)
	if err != nil || reason != "" {
		return none(reason), err
	}
	var all []result
	for _, q.resource.id = range t.products() {
		d, err := s.ask(q)
		if err != nil {
			return nil, err
		}
		if d.Decision {
			all = append(all, result{Type: typeProduct, ID: q.resource.id, Properties: map[string]string{"tenant": t.tenant.ID}})
		}
	}
	return w.cut(all, func(r result) string { return r.ID }), nil
}

// searchAction finds what a user may do with a product.
func (s *session) searchAction(f fields) (any, error) {
	var q question
	var err error
	if q.subject, err = f.entity("", "subject", false); err != nil {
		return nil, err
	}
	if q.resource, err = f.entity("", "resource", false); err != nil {
		return nil, err
	}
	if q.counterpart, err = f.counterpart(""); err != nil {
		return nil, err
	}
	w, err := f.page(paging.Of("action", q.asked()...))
	if err != nil {
		return nil, err
	}
	t, reason, err := s.place(q)
	if err != nil || reason != "" {
		return none(reason), err
	}
	product, reason := t.product(q.resource.id, Use)
	if reason != "" {
		return none(reason), nil
	}
	var all []result
	for _, q.action = range actionsOf(product) {
		d, err := s.ask(q)
		if err != nil {
			return nil, err
		}
		if d.Decision {
			all = append(all, result{Name: q.action})
		}
	}
	return w.cut(all, func(r result) string { return r.Name }), nil
}

// products are the ids of all that the tenant has, and of those that it had.
func (k known) products() (ids []string) {
	for _, p := range k.tenant.Products {
		ids = append(ids, p.ID)
	}
	for _, p := range k.state.Products {
		if !slices.Contains(ids, p.ID) {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

// place finds the tenant of a search, or says why there are no results.
func (s *session) place(q question) (t known, reason string, err error) {
	switch {
	case q.subject.kind != typeUser:
		return t, unknownSubject, nil
	case q.resource.kind != typeProduct:
		return t, unknownResource, nil
	}
	name, reason := s.tenantOf(q.subject, q.resource)
	if reason != "" {
		return t, reason, nil
	}
	t, err = s.tenant(name)
	return t, t.reason, err
}

// asked is what a question is asked with: the token of a page holds for that alone.
func (q question) asked() []string {
	counterpart := ""
	if q.counterpart != nil {
		counterpart = strconv.FormatBool(*q.counterpart)
	}
	return []string{q.subject.kind, q.subject.id, q.subject.tenant, q.action, q.resource.kind, q.resource.id, q.resource.tenant, counterpart}
}
