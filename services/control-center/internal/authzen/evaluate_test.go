package authzen_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/centertest"
)

const (
	one  = "/access/v1/evaluation"
	many = "/access/v1/evaluations"
)

// whoMayDoWhat is the table of the capabilities, with the reason of each answer.
func whoMayDoWhat(t *testing.T, h *house) {
	const no, yes = false, true
	for _, c := range []struct {
		user, action string
		more         string
		want         bool
		reason       string
	}{
		{"ada", "use", "", yes, "group-member"},
		{"ada", "share.initiate", "", yes, "group-member"},
		{"ada", "request.initiate", "", yes, "group-member"},
		{"ada", "share.receive", "", yes, "group-member"},
		{"ada@contoso.com", "request.respond", "", yes, "group-member"},
		{"ADA@Contoso.com", "use", "", yes, "group-member"},
		{"bob", "use", "", no, "not-a-member"},
		{"bob", "share.initiate", "", no, "not-a-member"},
		{"bob", "request.initiate", "", no, "not-a-member"},
		{"bob", "share.receive", "", yes, "active-user"},
		{"bob", "request.respond", "", yes, "active-user"},
		{"bob", "share.receive", `"context":{"counterpart":{"licensed":true}}`, yes, "active-user"},
		{"bob", "share.receive", `"context":{"counterpart":{"licensed":false}}`, no, "counterpart-not-licensed"},
		{"ada", "request.respond", `"context":{"counterpart":{"licensed":false}}`, no, "counterpart-not-licensed"},
		{"ada", "share.initiate", `"context":{"counterpart":{"licensed":false}}`, yes, "group-member"},
		{"cid", "share.initiate", "", no, "suspended"},
		{"cid", "share.receive", "", no, "suspended"},
		{"dan", "share.initiate", "", yes, "held"},
		{"gus", "use", "", no, "guest"},
		{"gus", "share.receive", "", yes, "active-user"},
		{"zoe", "use", "", no, "no-such-user"},
		{"zoe@contoso.com", "use", "", no, "no-such-user"},
		{"twin@contoso.com", "use", "", no, "several-users"},
		{"ada", "share.delete", "", no, "unknown-action"},
	} {
		var more []string
		if c.more != "" {
			more = []string{c.more}
		}
		got := h.post(t, centertest.Operator, one, body(c.user, c.action, "secure-share", "contoso", more...))
		if got.Decision == nil || *got.Decision != c.want || got.Context.Reason != c.reason {
			t.Errorf("%s %s %s: %+v, want %v, %s", c.user, c.action, c.more, got, c.want, c.reason)
		}
		if strings.Contains(got.Context.Sentence, "@contoso.com") && !strings.Contains(got.Context.Sentence, "group@contoso.com") {
			t.Errorf("%s %s: the sentence names an address: %s", c.user, c.action, got.Context.Sentence)
		}
	}
	got := h.post(t, centertest.Operator, one, body("ada@contoso.com", "use", "secure-share", "contoso"))
	if c := got.Context; c.User != "ada" || c.Tenant != "contoso" || c.Product != "secure-share" || c.Licensed == nil || !*c.Licensed ||
		c.Sentence != "contoso ada is licensed for secure-share: a member of the provisioning group (contoso provisioning > contoso sales)." {
		t.Errorf("%+v", c)
	}
}

// whoseTenant: either side names it, both the same, and whoever is bound to one need not.
func whoseTenant(t *testing.T, h *house) {
	question := func(subject, resource string) string {
		return `{"subject":{"type":"user","id":"ada"` + subject + `},"action":{"name":"use"},"resource":{"type":"product","id":"secure-share"` + resource + `}}`
	}
	of := func(tenant string) string { return `,"properties":{"tenant":"` + tenant + `"}` }
	for name, c := range map[string]struct{ body, reason string }{
		"the subject's":    {question(of("contoso"), ""), "group-member"},
		"the resource's":   {question("", of("contoso")), "group-member"},
		"both the same":    {question(of("contoso"), of("contoso")), "group-member"},
		"two":              {question(of("contoso"), of("fabrikam")), "tenants-differ"},
		"none":             {question("", ""), "no-tenant-named"},
		"one that is gone": {question("", of("nowhere")), "no-such-tenant"},
		"no id at all":     {question("", of("directory.entra.contoso-directory")), "no-such-tenant"},
		"one to be read":   {question("", of("initech")), "not-read-yet"},
	} {
		if got := h.post(t, centertest.Operator, one, c.body); got.Context.Reason != c.reason || *got.Decision != (c.reason == "group-member") {
			t.Errorf("%s: %+v, want %s", name, got, c.reason)
		}
	}
	if got := h.post(t, centertest.Admin, one, question("", "")); got.Context.Reason != "group-member" || got.Context.Tenant != "contoso" {
		t.Errorf("the one tenant of who asks: %+v", got)
	}
	for kind, c := range map[string]struct{ from, to, reason string }{
		"subject":  {`"type":"user"`, `"type":"spaceship"`, "unknown-subject-type"},
		"resource": {`"type":"product"`, `"type":"spaceship"`, "unknown-resource-type"},
		"product":  {`"id":"secure-share"`, `"id":"email"`, "no-such-product"},
	} {
		asked := strings.Replace(question("", of("contoso")), c.from, c.to, 1)
		if got := h.post(t, centertest.Operator, one, asked); *got.Decision || got.Context.Reason != c.reason {
			t.Errorf("%s: %+v", kind, got)
		}
	}
}

// foreignTenantsAreNone: who may not ask about a tenant is told the same as of one that does not exist.
func foreignTenantsAreNone(t *testing.T, h *house) {
	for _, user := range []string{"ada", "zoe"} {
		foreign := h.Do(centertest.OtherAdmin, http.MethodPost, one, body(user, "use", "secure-share", "contoso"))
		none := h.Do(centertest.OtherAdmin, http.MethodPost, one, body(user, "use", "secure-share", "nowhere"))
		if foreign.Status != 200 || foreign.Body != none.Body || !strings.Contains(foreign.Body, `"decision":false`) {
			t.Errorf("%s: %+v, %+v", user, foreign, none)
		}
	}
}

// questionsThatAreNone are refused as the standard wants them to be.
func questionsThatAreNone(t *testing.T, h *house) {
	const subject, action, resource = `"subject":{"type":"user","id":"ada"}`, `"action":{"name":"use"}`, `"resource":{"type":"product","id":"secure-share"}`
	for _, b := range []string{
		``, `{`, `[]`, `null`, `"ada"`, "{\"subject\":\"\xff\"}",
		`{` + action + `,` + resource + `}`, `{` + subject + `,` + resource + `}`, `{` + subject + `,` + action + `}`,
		`{"subject":{"id":"ada"},` + action + `,` + resource + `}`, `{"subject":{"type":"user"},` + action + `,` + resource + `}`,
		`{"subject":"ada",` + action + `,` + resource + `}`, `{"subject":null,` + action + `,` + resource + `}`,
		`{` + subject + `,"action":{},` + resource + `}`, `{` + subject + `,"action":{"name":123},` + resource + `}`,
		`{` + subject + `,"action":{"name":"use","properties":[]},` + resource + `}`,
		`{` + subject + `,` + action + `,"resource":{"type":"product"}}`, `{` + subject + `,` + action + `,"resource":{"id":"secure-share"}}`,
		`{` + subject + `,` + action + `,"resource":{"type":"product","id":"secure-share","properties":"contoso"}}`,
		`{` + subject + `,` + action + `,"resource":{"type":"product","id":"secure-share","properties":{"tenant":7}}}`,
		`{` + subject + `,` + action + `,` + resource + `,"context":"now"}`,
		`{` + subject + `,` + action + `,` + resource + `,"context":{"counterpart":{"licensed":"yes"}}}`,
		`{` + subject + `,"subject":{"type":"user","id":"bob"},` + action + `,` + resource + `}`,
		`{"Subject":{"type":"user","id":"ada"},` + action + `,` + resource + `}`,
	} {
		for _, path := range []string{one, many} {
			a := h.Do(centertest.Operator, http.MethodPost, path, b, "Content-Type", "application/json")
			if a.Status != http.StatusBadRequest || a.Code() != "invalid-request" {
				t.Errorf("%s %s: %d %s", path, b, a.Status, a.Body)
			}
		}
	}
	if a := h.Do(centertest.Operator, http.MethodPost, one, body("ada", "use", "secure-share", "contoso"), "Content-Type", "text/plain"); a.Status != 400 {
		t.Errorf("another media type: %d", a.Status)
	}
	if a := h.Do(centertest.Operator, http.MethodPost, one, `{"x":"`+strings.Repeat("x", 300<<10)+`"}`); a.Status != http.StatusRequestEntityTooLarge {
		t.Errorf("a large one: %d", a.Status)
	}
	if a := h.Do(centertest.Operator, http.MethodGet, one, ""); a.Status != http.StatusMethodNotAllowed || a.Header.Get("Allow") != "POST" {
		t.Errorf("GET: %+v", a)
	}
}

// unknownFieldsAreIgnored, wherever they are, as the standard wants it.
func unknownFieldsAreIgnored(t *testing.T, h *house) {
	got := h.post(t, centertest.Operator, one, `{"foo":"bar","futureField":{"nested":true},
		"subject":{"type":"user","id":"ada","new":1,"properties":{"tenant":"contoso","department":"Sales","ip_address":"172.217.22.14"}},
		"action":{"name":"use","properties":{"method":"GET"}},"resource":{"type":"product","id":"secure-share","properties":{"library_record":{"title":"x"}}},
		"context":{"time":"1985-10-26T01:22-07:00"}}`)
	if !*got.Decision {
		t.Errorf("%+v", got)
	}
}

func requestIDsComeBack(t *testing.T, h *house) {
	const id = "bfe9eb29-ab87-4ca3-be83-a1d5d8305716"
	for _, b := range []string{body("ada", "use", "secure-share", "contoso"), "{"} {
		if a := h.Do(centertest.Operator, http.MethodPost, one, b, "X-Request-ID", id); a.Header.Get("X-Request-ID") != id {
			t.Errorf("%s: %v", b, a.Header)
		}
	}
	if a := h.Do(centertest.Operator, http.MethodPost, one, body("ada", "use", "secure-share", "contoso")); a.Header.Get("X-Request-ID") != "" {
		t.Errorf("%v", a.Header)
	}
	if a := h.Do(centertest.Nobody, http.MethodPost, one, "{}", "X-Request-ID", id); a.Status != 401 || a.Header.Get("X-Request-ID") != id {
		t.Errorf("%+v", a)
	}
}
