package authzen_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/centertest"
)

const (
	subjects  = "/access/v1/search/subject"
	resources = "/access/v1/search/resource"
	actions   = "/access/v1/search/action"
)

func found(got told) (all []string) {
	for _, r := range got.Results {
		all = append(all, r.Name+r.ID)
	}
	return all
}

func searches(t *testing.T, h *house) {
	ofContoso := func(user, action string) string {
		return `{"subject":{"type":"user","id":"` + user + `","properties":{"tenant":"contoso"}},"action":{"name":"` + action + `"},"resource":{"type":"product"}}`
	}
	usersOf := func(action, more string) string {
		q := `{"subject":{"type":"user"},"action":{"name":"` + action + `"},"resource":{"type":"product","id":"secure-share","properties":{"tenant":"contoso"}}`
		if more != "" {
			q += "," + more
		}
		return q + "}"
	}
	ofAda := []string{"use", "share.initiate", "request.initiate", "share.receive", "request.respond"}
	for name, c := range map[string]struct {
		path, body string
		want       []string
		reason     string
	}{
		"users who may use":              {subjects, usersOf("use", ""), []string{"ada", "dan"}, ""},
		"users who may initiate":         {subjects, usersOf("share.initiate", ""), []string{"ada", "dan"}, ""},
		"users who may receive":          {subjects, usersOf("share.receive", ""), []string{"ada", "bob", "dan", "eve", "gus", "twin-1", "twin-2"}, ""},
		"receivers of a stranger":        {subjects, usersOf("share.receive", `"context":{"counterpart":{"licensed":false}}`), nil, "counterpart-not-licensed"},
		"users of an unknown action":     {subjects, usersOf("share.delete", ""), nil, "unknown-action"},
		"users of another product":       {subjects, strings.Replace(usersOf("use", ""), "secure-share", "email", 1), nil, "no-such-product"},
		"an id among users, ignored":     {subjects, strings.Replace(usersOf("use", ""), `"user"`, `"user","id":"bob"`, 1), []string{"ada", "dan"}, ""},
		"spaceships":                     {subjects, strings.Replace(usersOf("use", ""), `"user"`, `"spaceship"`, 1), nil, "unknown-subject-type"},
		"products of ada":                {resources, ofContoso("ada", "use"), []string{"secure-share", "drive"}, ""},
		"products of bob":                {resources, ofContoso("bob", "use"), nil, ""},
		"products that bob receives":     {resources, ofContoso("bob@contoso.com", "share.receive"), []string{"secure-share"}, ""},
		"with an id, which is ignored":   {resources, strings.Replace(ofContoso("ada", "use"), `"product"`, `"product","id":"drive"`, 1), []string{"secure-share", "drive"}, ""},
		"of nobody":                      {resources, ofContoso("zoe", "use"), nil, ""},
		"of a tenant that is not":        {resources, strings.Replace(ofContoso("ada", "use"), "contoso", "nowhere", 1), nil, "no-such-tenant"},
		"of no tenant":                   {resources, strings.Replace(ofContoso("ada", "use"), `"tenant"`, `"x"`, 1), nil, "no-tenant-named"},
		"of spaceships":                  {resources, strings.Replace(ofContoso("ada", "use"), `"product"`, `"spaceship"`, 1), nil, "unknown-resource-type"},
		"actions of ada":                 {actions, body("ada", "", "secure-share", "contoso"), ofAda, ""},
		"actions of bob":                 {actions, body("bob", "", "secure-share", "contoso"), []string{"share.receive", "request.respond"}, ""},
		"actions of bob with a stranger": {actions, body("bob", "", "secure-share", "contoso", `"context":{"counterpart":{"licensed":false}}`), nil, ""},
		"actions of cid":                 {actions, body("cid", "", "secure-share", "contoso"), nil, ""},
		"actions of nobody":              {actions, body("zoe", "", "secure-share", "contoso"), nil, ""},
		"actions of a spaceship":         {actions, strings.Replace(body("ada", "", "secure-share", "contoso"), `"user"`, `"spaceship"`, 1), nil, "unknown-subject-type"},
		"actions of another product":     {actions, body("ada", "", "email", "contoso"), nil, "no-such-product"},
	} {
		got := h.post(t, centertest.Operator, c.path, c.body)
		if diff := cmp.Diff(c.want, found(got)); diff != "" || got.Context.Reason != c.reason || got.Results == nil {
			t.Errorf("%s: %+v (-want +got):\n%s", name, got, diff)
		}
	}
}

// whatIsFoundIsAllowed: each result is a question that is answered with yes.
func whatIsFoundIsAllowed(t *testing.T, h *house) {
	for _, user := range centertest.People {
		for _, r := range h.post(t, centertest.Operator, actions, body(user.ID, "", "secure-share", "contoso")).Results {
			if got := h.post(t, centertest.Operator, one, body(user.ID, r.Name, "secure-share", "contoso")); !*got.Decision {
				t.Errorf("%s %s: %+v", user.ID, r.Name, got)
			}
		}
		who := h.post(t, centertest.Operator, subjects, strings.Replace(body("", "share.receive", "secure-share", "contoso"), `,"id":""`, "", 1))
		for _, r := range who.Results {
			if got := h.post(t, centertest.Operator, one, body(r.ID, "share.receive", "secure-share", r.Properties["tenant"])); !*got.Decision || r.Type != "user" {
				t.Errorf("%s: %+v", r.ID, got)
			}
		}
		found := h.post(t, centertest.Operator, resources,
			`{"subject":{"type":"user","id":"`+user.ID+`"},"action":{"name":"use"},"resource":{"type":"product","properties":{"tenant":"fabrikam"}}}`)
		for _, r := range found.Results {
			if got := h.post(t, centertest.Operator, one, body(user.ID, "use", r.ID, r.Properties["tenant"])); !*got.Decision || r.Type != "product" {
				t.Errorf("%s %s: %+v", user.ID, r.ID, got)
			}
		}
	}
}

// pagesOfUsers come one after the other, with a limit that is told once.
func pagesOfUsers(t *testing.T, h *house) {
	var all []string
	page := `{"limit":3}`
	for range 4 {
		got := h.post(t, centertest.Operator, subjects, `{"subject":{"type":"user"},"action":{"name":"share.receive"},`+sharing+`,"page":`+page+`}`)
		all = append(all, found(got)...)
		if got.Page.NextToken == "" {
			break
		}
		page = `{"token":"` + got.Page.NextToken + `"}`
	}
	if diff := cmp.Diff([]string{"ada", "bob", "dan", "eve", "gus", "twin-1", "twin-2"}, all); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if a := h.Do(centertest.Operator, http.MethodPost, subjects, `{"subject":{"type":"user"},"action":{"name":"use"},`+sharing+`,"page":`+page+`}`); a.Status != http.StatusBadRequest {
		t.Errorf("the token of another question: %+v", a)
	}
}

// pages: a token holds for the question and the limit that it was given for, and for no other.
func pages(t *testing.T, h *house) {
	ask := func(user, page string) string { return body(user, "", "secure-share", "contoso", `"page":`+page) }
	var all []string
	page := `{"limit":2}`
	var token string
	for range 3 {
		got := h.post(t, centertest.Operator, actions, ask("ada", page))
		if got.Page == nil || got.Page.Count != len(got.Results) || got.Page.Total != 5 {
			t.Fatalf("%+v", got)
		}
		all = append(all, found(got)...)
		if got.Page.NextToken == "" {
			break
		}
		token = got.Page.NextToken
		page = `{"token":"` + token + `"}`
	}
	if want := []string{"use", "share.initiate", "request.initiate", "share.receive", "request.respond"}; cmp.Diff(want, all) != "" {
		t.Errorf("%v", all)
	}
	for name, b := range map[string]string{
		"another user":    ask("bob", `{"token":"`+token+`"}`),
		"another limit":   ask("ada", `{"token":"`+token+`","limit":3}`),
		"a cut token":     ask("ada", `{"token":"`+token[:len(token)-2]+`"}`),
		"a made-up token": ask("ada", `{"token":"a3M9NDU2O3N6PTI="}`),
		"no token":        ask("ada", `{"token":7}`),
		"no limit":        ask("ada", `{"limit":-1}`),
		"no page":         ask("ada", `[]`),
	} {
		if a := h.Do(centertest.Operator, http.MethodPost, actions, b); a.Status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
	if got := h.post(t, centertest.Operator, actions, ask("ada", `{"limit":2,"token":"`+token+`"}`)); len(got.Results) != 1 {
		t.Errorf("the same limit: %+v", got)
	}
}

func searchesThatAreNone(t *testing.T, h *house) {
	for _, c := range []struct{ path, body string }{
		{subjects, `{"subject":{"type":"user"},"resource":{"type":"product","id":"drive"}}`},
		{subjects, `{"subject":{"type":"user"},"action":{"name":"use"},"resource":{"type":"product"}}`},
		{subjects, `{"subject":{},"action":{"name":"use"},"resource":{"type":"product","id":"drive"}}`},
		{resources, `{"action":{"name":"use"},"resource":{"type":"product"}}`},
		{resources, `{"subject":{"type":"user"},"action":{"name":"use"},"resource":{"type":"product"}}`},
		{resources, `{"subject":{"type":"user","id":"ada"},"resource":{"type":"product"}}`},
		{resources, `{"subject":{"type":"user","id":"ada"},"action":{"name":"use"},"resource":{}}`},
		{actions, `{"subject":{"type":"user","id":"ada"}}`},
		{actions, `{"subject":{"type":"user"},"resource":{"type":"product","id":"drive"}}`},
		{actions, `{"subject":{"type":"user","id":"ada"},"resource":{"type":"product"}}`},
		{actions, `{"subject":{"type":"user","id":"ada"},"resource":{"type":"product","id":"drive"},"context":1}`},
	} {
		if a := h.Do(centertest.Operator, http.MethodPost, c.path, c.body); a.Status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", c.body, a.Status, a.Body)
		}
	}
}

func metadata(t *testing.T, h *house) {
	a := h.Do(centertest.Nobody, http.MethodGet, "/.well-known/authzen-configuration", "")
	var got map[string]string
	a.JSON(t, &got)
	const base = "https://rollcall.example.com"
	if got["policy_decision_point"] != base || a.Header.Get("Content-Type") != "application/json" || a.Status != http.StatusOK {
		t.Errorf("%+v", a)
	}
	for name, endpoint := range got {
		path, own := strings.CutPrefix(endpoint, base)
		if !own {
			t.Errorf("%s: %s", name, endpoint)
		}
		if name == "policy_decision_point" {
			continue
		}
		if a := h.Do(centertest.Operator, http.MethodPost, path, "{}"); a.Status != http.StatusBadRequest {
			t.Errorf("%s answers %d", endpoint, a.Status)
		}
	}
	if len(got) != 6 {
		t.Errorf("%v", got)
	}
}

// roles are whoever may ask about contoso, and what each is told.
var roles = []struct {
	name string
	who  *access.Principal
	sees bool
}{
	{"operator", centertest.Operator, true},
	{"tenant admin", centertest.Admin, true},
	{"tenant admin of another tenant", centertest.OtherAdmin, false},
	{"auditor", centertest.Auditor, true},
	{"token that checks only", centertest.Checker, true},
	{"token that reads only", centertest.Reading, true},
}

// rows are the operations of AuthZEN: what is asked about contoso, and what an answer says to who may know.
var rows = map[string]struct{ path, body, tells string }{
	"evaluate":        {one, body("ada", "use", "secure-share", "contoso"), `"decision":true`},
	"evaluateAll":     {many, body("ada", "use", "secure-share", "contoso", `"evaluations":[{}]`), `"decision":true`},
	"searchSubjects":  {subjects, `{"subject":{"type":"user"},"action":{"name":"use"},"resource":{"type":"product","id":"secure-share","properties":{"tenant":"contoso"}}}`, `"ada"`},
	"searchResources": {resources, `{"subject":{"type":"user","id":"ada","properties":{"tenant":"contoso"}},"action":{"name":"use"},"resource":{"type":"product"}}`, `"secure-share"`},
	"searchActions":   {actions, body("ada", "", "secure-share", "contoso"), `"share.initiate"`},
}

// everyOperationForEveryRole asks everything as everybody. An operation of openapi.yaml that has no row here fails.
func everyOperationForEveryRole(t *testing.T, h *house) {
	asked := 0
	for path, item := range centertest.Document(t).Paths.Map() {
		for method, o := range item.Operations() {
			if len(o.Tags) != 1 || o.Tags[0] != "access" {
				continue // package api has the rows of all others
			}
			asked++
			r, known := rows[o.OperationID]
			switch {
			case o.OperationID == "getAuthzenConfiguration":
				asked-- // it is everybody's, see TestMetadata
				continue
			case !known || r.path != path || method != http.MethodPost:
				t.Errorf("%s (%s %s) has no row: say who is told what", o.OperationID, method, path)
				continue
			}
			for _, role := range roles {
				a := h.Do(role.who, method, r.path, r.body)
				if a.Status != http.StatusOK || strings.Contains(a.Body, r.tells) != role.sees || role.sees == strings.Contains(a.Body, "no-such-tenant") {
					t.Errorf("%s as %s: %d %s", o.OperationID, role.name, a.Status, a.Body)
				}
			}
			if a := h.Do(centertest.Nobody, method, r.path, r.body); a.Status != http.StatusUnauthorized {
				t.Errorf("%s as nobody: %d %s", o.OperationID, a.Status, a.Body)
			}
		}
	}
	if asked != len(rows) {
		t.Errorf("%d operations, %d rows", asked, len(rows))
	}
}
