package simulator_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

func TestFindGroups(t *testing.T) {
	t.Parallel()
	s := contoso(t, simulator.Config{})
	seats := s.group(control.NewGroup{Address: "seats@contoso.com", Aliases: []string{"o'hara@contoso.com"}, Kind: directory.Distribution})
	sales := s.group(control.NewGroup{Address: "sales@contoso.com"})
	s.group(control.NewGroup{Name: "Security", Kind: directory.Security})
	for filter, want := range map[string][]string{
		"mail eq 'seats@contoso.com'":                           {seats},
		"mail eq 'SEATS@CONTOSO.COM'":                           {seats},
		"mail eq 'nobody@contoso.com'":                          nil,
		"proxyAddresses/any(p:p eq 'smtp:o''hara@contoso.com')": {seats},
		"proxyAddresses/any(p:p eq 'SMTP:o''hara@contoso.com')": nil,
		"proxyAddresses/any(p:p eq 'smtp:seats@contoso.com') or proxyAddresses/any(p:p eq 'SMTP:seats@contoso.com')": {seats},
		"id eq '" + seats + "' or id eq '" + sales + "'":                                                             {seats, sales},
		"groupTypes/any(c:c eq 'Unified')":                                                                           {sales},
		"mailEnabled eq true and not startswith(mail, 'sea')":                                                        {sales},
		"mail in ('sales@contoso.com', 'x')":                                                                         {sales},
		"(mailEnabled eq true and securityEnabled eq false) and (displayName eq 'seats')":                            {seats},
	} {
		out := s.get("/groups?$count=true&$select=id&$filter="+url.QueryEscape(filter), "ConsistencyLevel", "eventual")
		var got []string
		for _, v := range out["value"].([]any) {
			got = append(got, v.(object)["id"].(string))
		}
		if diff := cmp.Diff(want, got); diff != "" || out["@odata.count"] != float64(len(want)) {
			t.Errorf("%s: count %v (-want +got):\n%s", filter, out["@odata.count"], diff)
		}
	}
	if got := s.get("/groups?$filter=mail+eq+'seats@contoso.com'")["value"].([]any); len(got) != 1 {
		t.Errorf("without ConsistencyLevel: %v", got)
	}
	for _, filter := range []string{"mail ne 'x'", "mail", "mail eq x", "shoe eq 'x'", "mail eq 'x", "(mail eq 'x'", "mail eq 'x' or", "proxyAddresses/any(p:q eq 'x')"} {
		if status, _, _ := s.call(http.MethodGet, "/groups?$filter="+url.QueryEscape(filter), nil); status != http.StatusBadRequest {
			t.Errorf("%s: %d, want 400", filter, status)
		}
	}
}

func TestKindsOfGroups(t *testing.T) {
	t.Parallel()
	s := contoso(t, simulator.Config{})
	for kind, want := range map[directory.GroupKind]object{
		directory.Microsoft365:        {"groupTypes": []any{"Unified"}, "mailEnabled": true, "securityEnabled": false},
		directory.Security:            {"groupTypes": []any{}, "mailEnabled": false, "securityEnabled": true},
		directory.MailEnabledSecurity: {"groupTypes": []any{}, "mailEnabled": true, "securityEnabled": true},
		directory.Distribution:        {"groupTypes": []any{}, "mailEnabled": true, "securityEnabled": false},
	} {
		g := control.NewGroup{Name: string(kind), Kind: kind}
		if kind != directory.Security {
			g.Address = string(kind) + "@contoso.com"
		}
		id := s.group(g)
		got := s.get("/groups/" + id + "?$select=id,groupTypes,mailEnabled,securityEnabled")
		want["id"] = id
		want["@odata.context"] = s.server.URL() + "/v1.0/$metadata#groups(id,groupTypes,mailEnabled,securityEnabled)/$entity"
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
	}
}

func TestMembers(t *testing.T) {
	t.Parallel()
	s := contoso(t, simulator.Config{PageSize: 2})
	ctx := t.Context()
	outer := s.group(control.NewGroup{Address: "outer@contoso.com", Kind: directory.Distribution})
	inner := s.group(control.NewGroup{Address: "inner@contoso.com", Kind: directory.Distribution})
	a, b, c := s.user("a"), s.user("b"), s.user("c")
	must(s.control.AddMembers(ctx, "contoso", outer, "a@contoso.com", inner, b))(t)
	must(s.control.AddMembers(ctx, "contoso", inner, b, c, outer))(t) // a cycle
	values, _, pages := s.pages("/groups/" + outer + "/members?$select=id")
	if diff := cmp.Diff([]string{a, inner, b}, ids(values)); diff != "" || pages != 2 || values[1]["@odata.type"] != "#microsoft.graph.group" {
		t.Errorf("members on %d pages: %v\n%s", pages, values, diff)
	}
	values, _, _ = s.pages("/groups/" + outer + "/transitiveMembers?$top=1&$select=id")
	if diff := cmp.Diff([]string{a, inner, b, c}, ids(values)); diff != "" {
		t.Errorf("transitive (-want +got):\n%s", diff)
	}
	cast := "/groups/" + outer + "/transitiveMembers/microsoft.graph.user?$count=true&$top=999&$select=id"
	out := s.get(cast, "ConsistencyLevel", "eventual")
	if out["@odata.count"] != 3.0 || len(out["value"].([]any)) != 3 {
		t.Errorf("cast: %v", out)
	}
	if status, out, _ := s.call(http.MethodGet, cast, nil); status != http.StatusBadRequest || code(out) != "Request_UnsupportedQuery" {
		t.Errorf("cast without ConsistencyLevel: %d %v", status, out)
	}
	must(s.control.RemoveUser(ctx, "contoso", a))(t)
	if values, _, _ = s.pages("/groups/" + outer + "/members"); len(values) != 2 {
		t.Errorf("a deleted user is a member: %v", values)
	}
	must(s.control.RestoreUser(ctx, "contoso", a))(t)
	if values, _, _ = s.pages("/groups/" + outer + "/members"); len(values) != 3 {
		t.Errorf("a restored user is no member: %v", values)
	}
}

func TestWriteMembers(t *testing.T) {
	t.Parallel()
	s := contoso(t, simulator.Config{})
	team := s.group(control.NewGroup{Address: "team@contoso.com"})
	list := s.group(control.NewGroup{Address: "list@contoso.com", Kind: directory.Distribution})
	ref := func(id string) string { return "https://graph.microsoft.com/v1.0/directoryObjects/" + id }
	var users, refs []string
	for i := range 21 {
		users = append(users, s.user(string(rune('a'+i))))
		refs = append(refs, ref(users[i]))
	}
	bind := func(group string, refs ...string) (int, string) {
		status, out, _ := s.call(http.MethodPatch, "/groups/"+group, object{"members@odata.bind": refs})
		return status, code(out)
	}
	if status, _ := bind(team, refs...); status != http.StatusBadRequest {
		t.Errorf("21 members: %d, want 400", status)
	}
	if status, _ := bind(team, refs[:20]...); status != http.StatusNoContent {
		t.Errorf("20 members: %d, want 204", status)
	}
	if status, _ := bind(team, refs[20], refs[0]); status != http.StatusBadRequest {
		t.Errorf("one who is a member: %d, want 400", status)
	}
	if status, _ := bind(list, refs[0]); status != http.StatusBadRequest {
		t.Errorf("distribution list: %d, want 400", status)
	}
	add := func(id string) int {
		status, _, _ := s.call(http.MethodPost, "/groups/"+team+"/members/$ref", object{"@odata.id": ref(id)})
		return status
	}
	for id, want := range map[string]int{users[20]: 204, users[1]: 400, clientID: 404, list: 400} {
		if got := add(id); got != want {
			t.Errorf("add %s: %d, want %d", id, got, want)
		}
	}
	remove := func() int {
		status, _, _ := s.call(http.MethodDelete, "/groups/"+team+"/members/"+users[20]+"/$ref", nil)
		return status
	}
	if first, second := remove(), remove(); first != http.StatusNoContent || second != http.StatusNotFound {
		t.Errorf("remove twice: %d, %d", first, second)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	s := contoso(t, simulator.Config{})
	status, out, header := s.call(http.MethodGet, "/users/"+clientID, nil, "client-request-id", "mine")
	inner, _ := out["error"].(object)["innerError"].(object)
	if status != http.StatusNotFound || code(out) != "Request_ResourceNotFound" || inner["client-request-id"] != "mine" ||
		inner["request-id"] != header.Get("Request-Id") || inner["date"] == nil {
		t.Errorf("404: %d %v", status, out)
	}
	s.token = "opaque"
	if status, out, header := s.call(http.MethodGet, "/users", nil); status != http.StatusUnauthorized ||
		code(out) != "InvalidAuthenticationToken" || header.Get("WWW-Authenticate") == "" {
		t.Errorf("foreign token: %d %v", status, out)
	}
	s.token = ""
	if err := s.control.SetPermissions(t.Context(), "contoso", []string{"User.Read.All"}); err != nil {
		t.Fatal(err)
	}
	if status, out, _ := s.call(http.MethodGet, "/groups", nil); status != http.StatusForbidden || code(out) != "Authorization_RequestDenied" {
		t.Errorf("no permission: %d %v", status, out)
	}
	if status, out := s.subscribe("/groups", "https://example.com"); status != http.StatusForbidden {
		t.Errorf("subscribe without permission: %d %v", status, out)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	s := contoso(t, simulator.Config{})
	err := s.control.AddFault(t.Context(), control.Fault{Tenant: "contoso", Route: "GET /users/delta", Status: 429, RetryAfter: 7, Count: 2})
	if err != nil {
		t.Fatal(err)
	}
	s.get("/users")
	for range 2 {
		if status, _, header := s.call(http.MethodGet, "/users/delta", nil); status != 429 || header.Get("Retry-After") != "7" {
			t.Errorf("%d, Retry-After %q", status, header.Get("Retry-After"))
		}
	}
	s.get("/users/delta")
	if c := must(s.control.Counters(t.Context(), ""))(t)["GET /users/delta initial"]; c.Throttled != 2 || c.Requests != 3 {
		t.Errorf("counted %+v", c)
	}
}

func TestGzippedBody(t *testing.T) {
	t.Parallel()
	s := contoso(t, simulator.Config{})
	group, ann := s.group(control.NewGroup{Address: "team@contoso.com"}), s.user("ann")
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = io.WriteString(w, `{"@odata.id":"`+s.server.URL()+`/v1.0/users/`+ann+`"}`)
	_ = w.Close()
	s.signIn()
	send := func(encoding string) int {
		req, _ := http.NewRequest(http.MethodPost, s.server.URL()+"/v1.0/groups/"+group+"/members/$ref", bytes.NewReader(packed.Bytes()))
		req.Header.Set("Authorization", "Bearer "+s.token)
		req.Header.Set("Content-Encoding", encoding)
		res, err := s.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode
	}
	if got := send("br"); got != http.StatusUnsupportedMediaType {
		t.Errorf("br: %d", got)
	}
	if got := send("gzip"); got != http.StatusNoContent {
		t.Errorf("gzip: %d", got)
	}
}

func TestMembersAreHiddenWithoutTheRight(t *testing.T) {
	t.Parallel()
	s := contoso(t, simulator.Config{})
	ann := s.user("ann")
	hidden := s.group(control.NewGroup{Address: "hidden@contoso.com", Hidden: true})
	shown := s.group(control.NewGroup{Address: "shown@contoso.com"})
	for _, g := range []string{hidden, shown} {
		must(s.control.AddMembers(t.Context(), "contoso", g, ann))(t)
	}
	if err := s.control.SetPermissions(t.Context(), "contoso", []string{"GroupMember.Read.All"}); err != nil {
		t.Fatal(err)
	}
	if got := s.get("/groups/" + hidden + "/members")["value"].([]any); len(got) != 0 {
		t.Errorf("hidden: %v", got)
	}
	got := s.get("/groups/" + shown + "/members?$select=id,mail")["value"].([]any)
	if diff := cmp.Diff([]any{object{"@odata.type": "#microsoft.graph.user", "id": ann, "mail": nil}}, got); diff != "" {
		t.Errorf("limited (-want +got):\n%s", diff)
	}
}

func TestTokenFaults(t *testing.T) {
	t.Parallel()
	s := contoso(t, simulator.Config{})
	for _, f := range []control.Fault{{Route: "token", Status: 503, Count: 1}, {Status: 500, Count: 1}} {
		if err := s.control.AddFault(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	res, err := s.http.PostForm(s.server.URL()+"/contoso.com/oauth2/v2.0/token", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("token: %d, want 503", res.StatusCode)
	}
	s.signIn() // the second fault is not for tokens
	if status, out, _ := s.call(http.MethodGet, "/users", nil); status != http.StatusInternalServerError || code(out) != "InternalServerError" {
		t.Errorf("graph: %d %v", status, out)
	}
}
