package authzen

import (
	"errors"
	"slices"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/paging"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/search"
)

// searchSubject finds the users who may take an action.
func (s *session) searchSubject(f fields) (any, error) {
	var q question
	var err error
	if q.subject, err = f.entity("", "subject", true); err != nil {
		return nil, err
	}
	q.subject.id = "" // it is what is searched for
	if q.action, err = f.action(""); err != nil {
		return nil, err
	}
	if q.resource, err = f.entity("", "resource", false); err != nil {
		return nil, err
	}
	if q.counterpart, err = f.counterpart(""); err != nil {
		return nil, err
	}
	w, err := f.page(paging.Of("subject", q.asked()...))
	if err != nil {
		return nil, err
	}
	t, reason, err := s.place(q)
	if err != nil || reason != "" {
		return none(reason), err
	}
	return s.users(t, q, w)
}

// users reads a page of those who may.
func (s *session) users(t known, q question, w wanted) (searched, error) {
	product, reason := t.product(q.resource.id, q.action)
	who := search.All{is(search.Active), is(search.Licensed)}
	switch {
	case reason != "":
		return none(reason), nil
	case !slices.Contains(product.Active, q.action):
	case q.counterpart != nil && !*q.counterpart:
		return none(noCounterpart), nil
	default:
		who = who[:1]
	}
	query := ledger.UsersQuery{Tenant: t.tenant.ID, Product: product.ID, Search: who[0]}
	if len(who) > 1 {
		query.Search = who
	}
	after := ""
	if w.after != nil {
		after = w.after[0]
	}
	page, err := s.service.deps.Ledger.Users(s.ctx, query, after, w.limit)
	if errors.Is(err, ledger.ErrNoProduct) {
		return none(notReadYet), nil
	}
	if err != nil {
		return searched{}, err
	}
	told := searched{Page: &resultPage{Count: len(page.Users)}, Results: make([]result, len(page.Users))}
	for i, u := range page.Users {
		told.Results[i] = result{Type: typeUser, ID: u.ID, Properties: map[string]string{"tenant": t.tenant.ID}}
	}
	if page.Next != "" {
		told.Page.NextToken = w.token(page.Next)
	}
	return told, nil
}

func is(state search.State) search.Node { return search.Term{Field: search.Is, Value: string(state)} }
