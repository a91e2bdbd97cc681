package workspace

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

// wholeWorkspace is a Workspace of one user and one group.
func wholeWorkspace(overrides map[string]http.HandlerFunc) http.HandlerFunc {
	plain := map[string]http.HandlerFunc{
		"/admin/directory/v1/users":                                          says(200, `{"kind":"k","users":[{"id":"1","customerId":"C03az79cb"}]}`),
		"/admin/directory/v1/groups":                                         says(200, `{"kind":"k","groups":[`+seatsDoc+`]}`),
		"/admin/directory/v1/groups/" + seats + "/members":                   says(200, `{"kind":"k"}`),
		"/admin/reports/v1/activity/users/all/applications/admin":            says(200, journalOf()),
		"/admin/reports/v1/activity/users/all/applications/" + groupsJournal: says(200, journalOf()),
		provisioningGroup: refuses(404, "notFound", "Resource Not Found: groupKey"),
		provisioningUser:  refuses(404, "notFound", "Resource Not Found: userKey"),
	}
	return func(w http.ResponseWriter, r *http.Request) {
		if f, ok := overrides[r.URL.Path]; ok {
			f(w, r)
			return
		}
		if f, ok := plain[r.URL.Path]; ok {
			f(w, r)
			return
		}
		http.NotFound(w, r)
	}
}

const (
	provisioning      = "virtru-secure-share-provisioning-group@initech.com"
	provisioningGroup = "/admin/directory/v1/groups/" + provisioning
	provisioningUser  = "/admin/directory/v1/users/" + provisioning
)

// told is the findings, without the blind ones, as "check state"; and all that they say.
func told(t *testing.T, f *fakeGoogle) (short []string, all string) {
	t.Helper()
	found, err := f.provider(t).Verify(t.Context(), f.tenant())
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range found {
		if one.State != receiver.Blind {
			short = append(short, one.Check+" "+string(one.State))
		}
		if one.Detail == "" || one.State == receiver.Failed && one.Action == "" {
			t.Errorf("%s says too little: %+v", one.Check, one)
		}
		all += one.Detail + " " + one.Action + "\n"
	}
	if strings.Contains(strings.ReplaceAll(all, provisioning, ""), "@") {
		t.Errorf("the findings name somebody: %s", all)
	}
	return short, all
}

func TestVerifyWhole(t *testing.T) {
	t.Parallel()
	f := newFake(t, wholeWorkspace(nil))
	got, all := told(t, f)
	want := []string{
		"sign-in passed", "delegation passed", "delegation passed", "delegation passed", "read-users passed", "directory passed",
		"read-groups passed", "read-members passed", "read-reports passed", "provisioning-group passed",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	for _, part := range []string{"every active user is licensed", "organization", "dynamic group", "expiry"} {
		if !strings.Contains(all, part) {
			t.Errorf("does not tell of %q", part)
		}
	}
}

func TestVerifyFindsWhatIsMissing(t *testing.T) {
	t.Parallel()
	forbidden := refuses(403, "forbidden", "Not Authorized to access this resource/api")
	for name, c := range map[string]struct {
		overrides map[string]http.HandlerFunc
		token     http.HandlerFunc
		want      string // one of the findings
		says      string // somewhere
	}{
		"users":          {map[string]http.HandlerFunc{"/admin/directory/v1/users": forbidden}, nil, "read-users failed", "Users > Read"},
		"groups":         {map[string]http.HandlerFunc{"/admin/directory/v1/groups": forbidden}, nil, "read-groups failed", "Groups > Read"},
		"members":        {map[string]http.HandlerFunc{"/admin/directory/v1/groups/" + seats + "/members": forbidden}, nil, "read-members failed", "Groups > Read"},
		"reports":        {map[string]http.HandlerFunc{"/admin/reports/v1/activity/users/all/applications/admin": forbidden}, nil, "read-reports failed", "Reports"},
		"one report":     {map[string]http.HandlerFunc{"/admin/reports/v1/activity/users/all/applications/" + groupsJournal: forbidden}, nil, "read-reports failed", "Reports"},
		"the API":        {map[string]http.HandlerFunc{"/admin/directory/v1/users": refuses(403, "accessNotConfigured", "Access Not Configured")}, nil, "read-users failed", "enable the Admin SDK API"},
		"calm":           {map[string]http.HandlerFunc{"/admin/directory/v1/users": refuses(429, "rateLimitExceeded", "x")}, nil, "read-users unknown", "Try again"},
		"other customer": {map[string]http.HandlerFunc{"/admin/directory/v1/users": says(200, `{"kind":"k","users":[{"id":"1","customerId":"C0other"}]}`)}, nil, "directory failed", "C0other"},
		"group is there": {map[string]http.HandlerFunc{provisioningGroup: says(200, strings.Replace(seatsDoc, "seats@initech.com", provisioning, 1))}, nil, "provisioning-group passed", "its members are licensed"},
		"an alias of it": {map[string]http.HandlerFunc{provisioningGroup: says(200, strings.Replace(seatsDoc, "old-seats@initech.com", provisioning, 1))}, nil, "provisioning-group passed", "is an alias of the group " + seats},
		"a user's alias": {map[string]http.HandlerFunc{provisioningUser: says(200, adaDoc)}, nil, "provisioning-group failed", "take the address from that user"},
		"a user's own":   {map[string]http.HandlerFunc{provisioningGroup: forbidden, provisioningUser: says(200, strings.Replace(adaDoc, "Ada@initech.com", provisioning, 1))}, nil, "provisioning-group failed", "take the address from that user"},
		"no activities":  {map[string]http.HandlerFunc{"/admin/reports/v1/activity/users/all/applications/admin": refuses(401, "authError", "Access denied. You are not authorized to read activity records.")}, nil, "read-reports failed", "Reports"},
		"group unread":   {map[string]http.HandlerFunc{provisioningGroup: forbidden}, nil, "provisioning-group failed", "Groups > Read"},
		"the admin":      {nil, says(400, `{"error":"invalid_grant","error_description":"Invalid email or User ID"}`), "sign-in failed", "not suspended"},
		"the key":        {nil, says(400, `{"error":"invalid_grant","error_description":"Invalid JWT Signature."}`), "sign-in failed", "Make a new key"},
		"the authority":  {nil, says(503, ``), "sign-in unknown", "Try again"},
		"delegation":     {nil, says(401, `{"error":"unauthorized_client","error_description":"Client is unauthorized"}`), "delegation failed", "Domain Wide Delegation: add"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, wholeWorkspace(c.overrides))
			f.token = c.token
			short, all := told(t, f)
			if !strings.Contains(strings.Join(short, ","), c.want) || !strings.Contains(all, c.says) {
				t.Errorf("%v\n%s", short, all)
			}
		})
	}
}

// TestVerifyFindsTheScopeThatIsMissing: Google refuses all scopes for one, and does not say which.
func TestVerifyFindsTheScopeThatIsMissing(t *testing.T) {
	t.Parallel()
	f := newFake(t, wholeWorkspace(nil))
	f.token = func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(scopesOf(t, r), "audit") {
			says(401, `{"error":"unauthorized_client"}`)(w, r)
			return
		}
		says(200, `{"access_token":"token-1","token_type":"Bearer","expires_in":3600}`)(w, r)
	}
	got, all := told(t, f)
	want := []string{
		"sign-in passed", "delegation passed", "delegation passed", "delegation failed", "read-users passed", "directory passed",
		"read-groups passed", "read-members passed", "read-reports unknown", "provisioning-group passed",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if !strings.Contains(all, "with the scope https://www.googleapis.com/auth/admin.reports.audit.readonly") {
		t.Errorf("%s", all)
	}
}

func TestVerifyWithoutItsFile(t *testing.T) {
	t.Parallel()
	f := newFake(t, wholeWorkspace(nil))
	if err := os.Remove(f.keyFile); err != nil {
		t.Fatal(err)
	}
	got, _ := told(t, f)
	if got[0] != "sign-in failed" || strings.Contains(strings.Join(got[1:], ","), "passed") {
		t.Errorf("%v", got)
	}
	as := f.tenant()
	as.Credential.Kind = "password"
	if _, err := f.provider(t).Verify(t.Context(), as); err == nil {
		t.Error("a record of no use is verified")
	}
}

// scopesOf reads what an assertion asks for.
func scopesOf(t *testing.T, r *http.Request) string {
	t.Helper()
	body := make([]byte, 8192)
	n, _ := r.Body.Read(body)
	form, err := url.ParseQuery(string(body[:n]))
	if err != nil {
		t.Error(err)
	}
	parts := strings.Split(form.Get("assertion"), ".")
	if len(parts) != 3 {
		t.Errorf("no assertion in %s", body[:n])
		return ""
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Error(err)
	}
	var claims struct {
		Scope string `json:"scope"`
	}
	if err := json.Unmarshal(raw, &claims); err != nil {
		t.Error(err)
	}
	return claims.Scope
}
