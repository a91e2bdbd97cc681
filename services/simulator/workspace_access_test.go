package simulator_test

import (
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/simulator"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

func TestWorkspaceAssertions(t *testing.T) {
	t.Parallel()
	c := initech(t, simulator.Config{}, nil)
	ctx := t.Context()
	c.person("ann")
	must(c.control.AddUser(ctx, "initech", control.NewUser{Address: "sue@initech.com", Suspended: true}))(t)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	forged := *c
	forged.key = other
	now := time.Now().Unix()
	const unauthorized = "unauthorized_client Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested."
	for name, test := range map[string]struct{ assertion, want string }{
		"good":            {c.assertion(nil), ""},
		"plain user":      {c.assertion(object{"sub": "ann@initech.com"}), ""}, // the APIs refuse her
		"own address":     {c.assertion(object{"aud": c.server.URL() + "/token"}), ""},
		"nobody":          {c.assertion(object{"sub": "nobody@initech.com"}), "invalid_grant Invalid email or User ID"},
		"elsewhere":       {c.assertion(object{"sub": "admin@fabrikam.com"}), "invalid_grant Invalid email or User ID"},
		"suspended":       {c.assertion(object{"sub": "sue@initech.com"}), "invalid_grant Account has been suspended"},
		"not delegated":   {c.assertion(object{"scope": "https://www.googleapis.com/auth/admin.directory.user"}), unauthorized},
		"partly":          {c.assertion(object{"scope": control.ScopeUsers + " https://www.googleapis.com/auth/drive"}), unauthorized},
		"no scope":        {c.assertion(object{"scope": ""}), "invalid_scope Empty or missing scope not allowed."},
		"unknown account": {c.assertion(object{"iss": "x@y.iam.gserviceaccount.com"}), "invalid_grant Invalid grant: account not found"},
		"forged":          {forged.assertion(nil), "invalid_grant Invalid JWT Signature."},
		"long":            {c.assertion(object{"exp": now + 7200}), "invalid_grant Invalid JWT: Token must be a short-lived token"},
		"stale":           {c.assertion(object{"iat": now - 7200, "exp": now - 3600}), "invalid_grant Invalid JWT: Token must be a short-lived token"},
		"audience":        {c.assertion(object{"aud": "https://example.com"}), "invalid_grant Invalid JWT: Failed audience check."},
		"junk":            {"junk", "invalid_grant Bad Request"},
	} {
		status, out := c.grant(test.assertion)
		kind, _ := out["error"].(string)
		text, _ := out["error_description"].(string)
		if got := strings.TrimSpace(kind + " " + text); !strings.HasPrefix(got, test.want) || test.want == "" && status != http.StatusOK {
			t.Errorf("%s: %d %s", name, status, got)
		}
	}
}

// TestWorkspaceAccessEndsAtOnce holds that what an admin withdraws counts for tokens that are out.
func TestWorkspaceAccessEndsAtOnce(t *testing.T) {
	t.Parallel()
	at := clock.NewFake(time.Now())
	c := initech(t, simulator.Config{}, at)
	ctx := t.Context()
	ask := func(want string) {
		t.Helper()
		if _, out := c.admin(http.MethodGet, "directory/v1/users/"+initechAdmin, nil); refused(out) != want {
			t.Errorf("%s, want %s", refused(out), want)
		}
	}
	const good, denied, credentials = "no error", "forbidden: Not Authorized to access this resource/api", "authError: Invalid Credentials"
	ask(good)
	if err := c.control.SetScopes(ctx, "initech", []string{control.ScopeGroups}); err != nil {
		t.Fatal(err)
	}
	ask("insufficientPermissions: Request had insufficient authentication scopes.")
	if err := c.control.SetScopes(ctx, "initech", control.DefaultScopes()); err != nil {
		t.Fatal(err)
	}
	if err := c.control.SetAdmins(ctx, "initech", []control.Admin{{Address: initechAdmin, Privileges: []string{control.PrivilegeGroups}}}); err != nil {
		t.Fatal(err)
	}
	ask(denied)
	if status, out := c.admin(http.MethodGet, "directory/v1/groups?customer=my_customer", nil); status != http.StatusOK {
		t.Errorf("groups: %d %v", status, out)
	}
	if err := c.control.SetAdmins(ctx, "initech", []control.Admin{{Address: initechAdmin}}); err != nil {
		t.Fatal(err)
	}
	ask(good)
	must(c.control.Suspend(ctx, "initech", initechAdmin))(t)
	ask(credentials)
	must(c.control.Unsuspend(ctx, "initech", initechAdmin))(t)
	ask(good)
	at.Advance(time.Hour)
	ask(credentials)
	c.token = "junk"
	ask(credentials)
}

func TestWorkspaceQuota(t *testing.T) {
	t.Parallel()
	at := clock.NewFake(time.Now())
	c := initech(t, simulator.Config{}, at)
	ctx := t.Context()
	if err := c.control.PutSettings(ctx, control.Settings{QuotaPerMinute: 5}); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		c.read("users/" + initechAdmin)
	}
	status, out := c.admin(http.MethodGet, "directory/v1/users/"+initechAdmin, nil)
	if status != http.StatusForbidden || !strings.HasPrefix(refused(out), "userRateLimitExceeded") {
		t.Errorf("%d %s", status, refused(out))
	}
	at.Advance(time.Minute)
	c.read("users/" + initechAdmin)
	counted := must(c.control.Counters(ctx, "initech"))(t)["GET admin/users/{userKey}"]
	if want := (control.Counter{Requests: 7, Items: 6, Throttled: 1}); counted != want {
		t.Errorf("counted %+v, want %+v", counted, want)
	}
	for fault, want := range map[control.Fault]string{
		{Route: "GET admin/groups", Status: 429, Count: 1}: "rateLimitExceeded",
		{Route: "GET admin/groups", Status: 403, Count: 1}: "quotaExceeded",
		{Route: "GET admin/groups", Status: 503, Count: 1}: "backendError",
	} {
		if err := c.control.AddFault(ctx, fault); err != nil {
			t.Fatal(err)
		}
		if status, out := c.admin(http.MethodGet, "directory/v1/groups?customer=my_customer", nil); status != fault.Status || !strings.HasPrefix(refused(out), want) {
			t.Errorf("%d %s, want %s", status, refused(out), want)
		}
	}
}
