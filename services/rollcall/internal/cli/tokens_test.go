package cli_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rollcall-hq/rollcall/services/rollcall/internal/cli"
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

// "rollcall serve --check" tells what is wrong with the access file.
func TestServeChecksTheAccessFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "access.yaml")
	for text, says := range map[string]string{"people: [{role: king}]": "people[0].role", "people: []": ""} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var out, told bytes.Buffer
		getenv := func(name string) string {
			return map[string]string{"ROLLCALL_CENTER_ACCESS_FILE": path, "ROLLCALL_SYNC_PUSH": "false"}[name]
		}
		err := cli.Run(t.Context(), []string{"serve", "--check"}, getenv, nil, &out, &told)
		if (err == nil) != (says == "") || !strings.Contains(told.String(), says) {
			t.Errorf("%s: %v %s", text, err, told.String())
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
