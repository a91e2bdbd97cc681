package authzen_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/centertest"
)

func decisions(t *testing.T, got told) (all []string) {
	t.Helper()
	for _, e := range got.Evaluations {
		all = append(all, fmt.Sprint(*e.Decision, " ", e.Context.Reason))
	}
	return all
}

const sharing = `"resource":{"type":"product","id":"secure-share","properties":{"tenant":"contoso"}}`

// defaults are the examples of the standard: nothing in common, a subject and a context in common, and an action that one of
// three says otherwise.
func defaults(t *testing.T, h *house) {
	const ada, bob = `"subject":{"type":"user","id":"ada"}`, `"subject":{"type":"user","id":"bob"}`
	initiate, receive := `"action":{"name":"share.initiate"}`, `"action":{"name":"share.receive"}`
	for name, c := range map[string]struct {
		body string
		want []string
	}{
		"nothing in common": {
			`{"evaluations":[{` + ada + `,` + initiate + `,` + sharing + `},{` + bob + `,` + initiate + `,` + sharing + `},{` + bob + `,` + receive + `,` + sharing + `}]}`,
			[]string{"true group-member", "false not-a-member", "true active-user"},
		},
		"subject and context in common": {
			`{` + bob + `,"context":{"counterpart":{"licensed":false}},"evaluations":[{` + receive + `,` + sharing + `},
				{` + receive + `,` + sharing + `,"context":{"counterpart":{"licensed":true}}},{` + initiate + `,` + sharing + `}]}`,
			[]string{"false counterpart-not-licensed", "true active-user", "false not-a-member"},
		},
		"an action that one overrides": {
			`{` + bob + `,` + receive + `,"evaluations":[{` + sharing + `},{"resource":{"type":"product","id":"drive","properties":{"tenant":"contoso"}}},{` + initiate + `,` + sharing + `}]}`,
			[]string{"true active-user", "false unknown-action", "false not-a-member"},
		},
		"all in common": {
			`{` + ada + `,` + initiate + `,` + sharing + `,"evaluations":[{},{` + bob + `}]}`,
			[]string{"true group-member", "false not-a-member"},
		},
		"what is wrong is told in its place": {
			`{` + ada + `,` + initiate + `,"options":{"evaluations_semantic":"execute_all","another_option":"value"},"evaluations":[{` + sharing + `},{},7,{"resource":"x"},{` + sharing + `}]}`,
			[]string{"true group-member", "false invalid", "false invalid", "false invalid", "true group-member"},
		},
		"users of two tenants": {
			`{` + ada + `,"action":{"name":"use"},"evaluations":[{` + sharing + `},{` + strings.Replace(sharing, "contoso", "fabrikam", 1) + `},{` + strings.Replace(sharing, "contoso", "nowhere", 1) + `}]}`,
			[]string{"true group-member", "true group-member", "false no-such-tenant"},
		},
	} {
		got := h.post(t, centertest.Operator, many, c.body)
		if diff := cmp.Diff(c.want, decisions(t, got)); diff != "" || got.Decision != nil {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	got := h.post(t, centertest.Operator, many, `{`+ada+`,`+initiate+`,"evaluations":[{}]}`)
	if e := got.Evaluations[0].Context.Error; e == nil || e.Status != 400 || !strings.Contains(e.Message, "/evaluations/0/resource") {
		t.Errorf("%+v", got)
	}
}

// semantics: all three, of three documents of which the second is denied.
func semantics(t *testing.T, h *house) {
	question := func(semantic string, actions ...string) string {
		var items []string
		for _, a := range actions {
			items = append(items, `{"action":{"name":"`+a+`"}}`)
		}
		options := ""
		if semantic != "" {
			options = `"options":{"evaluations_semantic":"` + semantic + `"},`
		}
		return `{"subject":{"type":"user","id":"bob@contoso.com"},` + sharing + `,` + options + `"evaluations":[` + strings.Join(items, ",") + `]}`
	}
	const yes, no = "share.receive", "share.initiate"
	for _, c := range []struct {
		semantic string
		actions  []string
		want     string
	}{
		{"", []string{yes, no, yes}, "true false true"},
		{"execute_all", []string{yes, no, yes}, "true false true"},
		{"deny_on_first_deny", []string{yes, no, yes}, "true false"},
		{"deny_on_first_deny", []string{yes, yes}, "true true"},
		{"permit_on_first_permit", []string{yes, no, yes}, "true"},
		{"permit_on_first_permit", []string{no, yes, no}, "false true"},
		{"permit_on_first_permit", []string{no, no}, "false false"},
	} {
		var got []string
		for _, e := range h.post(t, centertest.Operator, many, question(c.semantic, c.actions...)).Evaluations {
			got = append(got, fmt.Sprint(*e.Decision))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s of %v: %v, want %s", c.semantic, c.actions, got, c.want)
		}
	}
	for _, b := range []string{
		question("all", yes), strings.Replace(question("execute_all", yes), `"execute_all"`, `7`, 1),
		strings.Replace(question("execute_all", yes), `{"evaluations_semantic":"execute_all"}`, `[]`, 1),
		`{"evaluations":{}}`, `{"evaluations":[` + strings.Repeat(`{},`, 100) + `{}]}`,
	} {
		if a := h.Do(centertest.Operator, http.MethodPost, many, b); a.Status != http.StatusBadRequest {
			t.Errorf("%.100s: %d %s", b, a.Status, a.Body)
		}
	}
}

// withoutEvaluations it is the single question.
func withoutEvaluations(t *testing.T, h *house) {
	for _, more := range []string{`"options":{}`, `"evaluations":[]`, `"evaluations":null`} {
		got := h.post(t, centertest.Operator, many, body("ada", "use", "secure-share", "contoso", more))
		if got.Decision == nil || !*got.Decision || got.Evaluations != nil {
			t.Errorf("%s: %+v", more, got)
		}
	}
}
