package cli_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

var secretToken = regexp.MustCompile(`rc_[a-z2-7]{16}_[a-z2-7]{52}`)

// Tokens are made, listed and revoked beside a running Rollcall, and none of them is told twice.
func TestTokens(t *testing.T) {
	t.Parallel()
	h := &house{data: settingsOf(t)}
	out := h.must(t, "tokens", "make", "--name", "billing", "--role", "tenant-admin", "--tenant", "contoso,initech", "--scope", "read", "--by", "ada", "--json")
	var made struct {
		Token, ID, Name, Role, By string
		Tenants, Scopes           []string
	}
	if err := json.Unmarshal([]byte(out), &made); err != nil || !secretToken.MatchString(made.Token) || made.Name != "billing" || made.By != "ada" ||
		len(made.Tenants) != 2 || len(made.Scopes) != 1 {
		t.Fatalf("%v: %s", err, out)
	}
	if out := h.must(t, "tokens", "make", "--name", "secure share", "--role", "auditor", "--expires-in", "24h"); !secretToken.MatchString(out) || !strings.Contains(out, "this once") {
		t.Errorf("%s", out)
	}
	listed := h.must(t, "tokens", "list")
	if secretToken.MatchString(listed) || !strings.Contains(listed, made.ID) || !strings.Contains(listed, "contoso initech") || !strings.Contains(listed, "secure share") || !strings.Contains(listed, "never") {
		t.Errorf("%s", listed)
	}
	if out := h.must(t, "tokens", "revoke", made.ID); !strings.Contains(out, "billing") {
		t.Errorf("%s", out)
	}
	if _, stderr, code := h.run(t, "tokens", "revoke", made.ID); code != 1 || !strings.Contains(stderr, "there is no token") {
		t.Errorf("a second time: %d %s", code, stderr)
	}
	if listed := h.must(t, "tokens", "list", "-o", "csv"); strings.Contains(listed, made.ID) || strings.Count(listed, "\n") != 2 {
		t.Errorf("%s", listed)
	}
}

// With the development login told, "rollcall serve" signs somebody in; without it nobody.
func TestServeSignsIn(t *testing.T) {
	t.Parallel()
	for _, told := range []bool{true, false} {
		cfg := settings(t, 0)
		cfg.Center.DevelopmentLogin = told
		address := start(t, cfg, nil).HTTPURL()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/sign-in/development", strings.NewReader("role=operator"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if signed := answer.StatusCode == http.StatusSeeOther && len(answer.Cookies()) == 1; signed != told {
			t.Errorf("told %t: %d %v", told, answer.StatusCode, answer.Cookies())
		}
	}
}

// settingsOf starts a process with nothing to mirror and returns its folder.
func settingsOf(t *testing.T) string {
	t.Helper()
	cfg := settings(t, 0)
	start(t, cfg, nil)
	return cfg.Data
}
