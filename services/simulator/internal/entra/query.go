package entra

import (
	"net/url"
	"strconv"
	"strings"
)

// query holds the OData options of a request. Graph takes them with and without the dollar sign.
type query struct{ values url.Values }

func readQuery(u *url.URL) query {
	q := query{url.Values{}}
	for name, values := range u.Query() {
		q.values[strings.ToLower(strings.TrimPrefix(name, "$"))] = values
	}
	return q
}

func (q query) get(name string) string { return q.values.Get(name) }
func (q query) has(name string) bool   { return q.values.Has(name) }

// refuse answers options that the resource does not support.
func (q query) refuse(names ...string) error {
	for _, name := range names {
		if q.has(name) {
			return unsupportedQuery("The query option '$%s' is not supported here.", name)
		}
	}
	return nil
}

// top returns $top, or standard when there is none.
func (q query) top(standard int) (int, error) {
	if !q.has("top") {
		return standard, nil
	}
	n, err := strconv.Atoi(q.get("top"))
	if err != nil || n < 1 || n > maxTop {
		return 0, badRequest("Invalid page size specified: '%.20s'. Must be between 1 and %d inclusive.", q.get("top"), maxTop)
	}
	return n, nil
}

// Page sizes. Sources: learn.microsoft.com/graph/api/user-list and group-list (100, at most 999). Those of delta are the
// service's own choice.
const (
	maxTop          = 999
	listPage        = 100
	deltaPage       = 200
	deltaPageMember = 1000
)

func (s *Server) pageSize(standard int) int {
	if n := s.Settings().PageSize; n > 0 {
		return n
	}
	return standard
}

// selection returns the names in $select, or nil when there is none.
func (q query) selection() []string {
	if q.get("select") == "" {
		return nil
	}
	var out []string
	for name := range strings.SplitSeq(q.get("select"), ",") {
		if name = strings.TrimSpace(name); name != "" {
			out = append(out, name)
		}
	}
	return out
}

// eventual reports whether the request takes part in advanced queries.
// Source: learn.microsoft.com/graph/aad-advanced-queries.
func (c *call) eventual() bool {
	return strings.EqualFold(c.r.Header.Get("ConsistencyLevel"), "eventual")
}

func (c *call) counts() bool { return strings.EqualFold(c.query.get("count"), "true") }

// next is the address of the next page of a list: the same request with a token in it.
func (c *call) next(token string) string {
	c.more = true
	values := url.Values{}
	for name, v := range c.query.values {
		values["$"+name] = v
	}
	values.Set("$skiptoken", token)
	return c.base() + strings.TrimPrefix(c.r.URL.EscapedPath(), "/v1.0") + "?" + encode(values)
}

// encode writes a query as Graph does, with the dollar signs as they are.
func encode(values url.Values) string { return strings.ReplaceAll(values.Encode(), "%24", "$") }

// cost is what a request takes from the app's budget. Source: learn.microsoft.com/graph/throttling-limits.
func cost(route string, q query) int {
	units := 1
	switch {
	case strings.HasPrefix(route, "GET /users"):
		units = 2
	case strings.HasSuffix(route, "/members"):
		units = 3
	case strings.HasSuffix(route, "/transitiveMembers"):
		units = 5
	}
	if q.has("select") {
		units--
	}
	if n, err := strconv.Atoi(q.get("top")); err == nil && n < 20 {
		units--
	}
	return max(1, units)
}
