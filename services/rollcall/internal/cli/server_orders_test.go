package cli_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestAPreviewOverAServer shows a list, has it approved or left, and tells an approval that came too late what has changed.
func TestAPreviewOverAServer(t *testing.T) {
	t.Parallel()
	h := open(t, 0)
	h.connect(t)
	v := h.visitor(t, "--role", "operator")
	all := h.active(t)
	h.must(t, "simulate", "suspend", all[0])
	which := []string{"--tenant", "contoso"}
	preview := append([]string{"refresh", "--preview"}, which...)
	out, told, code := v.run(t, append(preview, "--key", "ticket-1")...)
	if code != 0 || !strings.Contains(told, "1 would lose it") || !strings.Contains(told, all[0]) || !strings.Contains(out, "nothing is granted or revoked yet") {
		t.Fatalf("preview: %d\n%s%s", code, out, told)
	}
	first := h.awaitHeld(t, "refresh", 0, 1)
	if _, told, code := v.run(t, append([]string{"refresh", "--key", "ticket-1"}, which...)...); code != 1 || !strings.Contains(told, "(idempotency-key-used)") {
		t.Errorf("another refresh under its key: %d %s", code, told)
	}
	again := append([]string{"refresh", "--preview", "--no-wait", "--json", "--key", "ticket-1"}, which...)
	if out := v.must(t, again...); !strings.Contains(out, `"id": "contoso.refresh.ticket-1"`) || !strings.Contains(out, `"done": false`) {
		t.Errorf("the same once more: %s", out)
	}
	reject := append([]string{"held", "reject", first.Held}, which...)
	if out := v.must(t, append(reject, "--json")...); !strings.Contains(out, `"command": "contoso.reject.`) || !strings.Contains(out, `"outcome": "rejected"`) {
		t.Errorf("reject: %s", out)
	}
	if _, told, code := v.run(t, reject...); code != 1 || !strings.Contains(told, "(held-not-open)") {
		t.Errorf("reject again: %d %s", code, told)
	}
	h.must(t, "simulate", "suspend", all[1])
	if out := v.must(t, append([]string{"refresh", "--preview", "--yes"}, which...)...); !strings.Contains(out, "is approved, and being carried out") {
		t.Errorf("--yes: %s", out)
	}
	h.awaitLicensed(t, all[1], false, "suspended")
}

// TestAnApprovalOverAServerThatComesTooLate is told what has changed since, by names.
func TestAnApprovalOverAServerThatComesTooLate(t *testing.T) {
	t.Parallel()
	h := open(t, 0)
	h.connect(t)
	v := h.visitor(t, "--role", "tenant-admin", "--tenant", "contoso")
	flip, all := h.held(t)
	h.must(t, "simulate", "add-member", all[2])
	h.must(t, "refresh", "--tenant", "contoso")
	h.awaitHeld(t, "flip", 0, len(all)-3)
	args := []string{"held", "approve", flip.Held, "--tenant", "contoso", "--revision", fmt.Sprint(flip.Revision)}
	_, here, code := h.run(t, args...)
	_, there, codeThere := v.run(t, args...)
	if !strings.Contains(here, "off the list: ") || !strings.Contains(here, all[2]) || code != codeThere || code != 1 {
		t.Errorf("too late: %d %d %s", code, codeThere, here)
	}
	if changes := here[:strings.Index(here, "rollcall: ")]; !strings.HasPrefix(there, changes+"rollcall: refused: ") || !strings.Contains(there, "(held-changed); it is at revision ") {
		t.Errorf("too late, over the server:\n%s%s", here, there)
	}
}

// TestSettingsOverAServer are set one by one: what is not named stays as it is.
func TestSettingsOverAServer(t *testing.T) {
	t.Parallel()
	h := open(t, 0)
	h.connect(t)
	v := h.visitor(t, "--role", "tenant-admin", "--tenant", "contoso")
	says := func(want string, args ...string) {
		t.Helper()
		if out := v.must(t, args...); !strings.Contains(out, want) {
			t.Errorf("%v: want %q in\n%s", args, want, out)
		}
	}
	settings := []string{"tenants", "settings", "contoso"}
	says("obeys these settings", append(settings, "--hold-share", "7")...)
	says("obeys these settings", append(settings, "--hold-flips", "apply", "--hold-expiry", "72h")...)
	says("is paused", "tenants", "pause", "contoso")
	says("contoso", "freeze")
	says("over 7 % of the licenses and from 5", settings...)
	says("72h0m0s", settings...)
	for _, word := range []string{"PAUSED", "FROZEN"} {
		if out := h.must(t, settings...); !strings.Contains(out, word) {
			t.Errorf("want %s in\n%s", word, out)
		}
	}
	says(`"command": "contoso.settings.ticket-9"`, "tenants", "resume", "contoso", "--key", "ticket-9", "--json")
	says("yes", "unfreeze", "--tenant", "contoso")
	if out := h.must(t, settings...); strings.Contains(out, "PAUSED") || strings.Contains(out, "FROZEN") {
		t.Errorf("resumed and unfrozen:\n%s", out)
	}
	auditor := h.visitor(t, "--role", "auditor")
	for _, args := range []string{"tenants pause contoso", "tenants settings contoso --never-hold", "freeze", "unfreeze --tenant contoso"} {
		if out, told, code := auditor.run(t, strings.Fields(args)...); code != 1 || !strings.Contains(out+told, "(forbidden)") {
			t.Errorf("%s as an auditor: %d %s%s", args, code, out, told)
		}
	}
	if out, _, code := v.run(t, "freeze", "--tenant", "fabrikam"); code != 1 || !strings.Contains(out, "(no-such-tenant)") {
		t.Errorf("freeze what one may not see: %d %s", code, out)
	}
}

// TestAServerSaysNoClearly: each way in which a server does not answer has its own text.
func TestAServerSaysNoClearly(t *testing.T) {
	t.Parallel()
	h := open(t, 0)
	h.connect(t)
	auditor := h.visitor(t, "--role", "auditor")
	stranger := &visitor{server: h.httpURL, tokenFile: fileOf(t, "nothing-that-was-made")}
	answers := func(status int, header, value string) *visitor {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set(header, value)
			w.WriteHeader(status)
		}))
		t.Cleanup(s.Close)
		return &visitor{server: s.URL, tokenFile: auditor.tokenFile}
	}
	untrusted := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(untrusted.Close)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for _, c := range []struct {
		who  *visitor
		args string
		code int
		says string
	}{
		{stranger, "tenants list", 1, "does not take the token: it is wrong, revoked or expired (unauthenticated)"},
		{auditor, "seats set --tenant contoso --product secure-share --purchased 3", 1, "the token does not allow it: its role or its scope is too small (forbidden)"},
		{auditor, "seats set --tenant contoso --product drive --purchased 3", 1, "it has secure-share"},
		{auditor, "tenants show initech", 1, "there is no such tenant, or the token may not see it (no-such-tenant)"},
		{auditor, "held show flip-1 --tenant contoso", 1, "no such held change"},
		{auditor, "explain --tenant contoso --user nobody@contoso.com --at 1h", 1, "(no-such-user)"},
		{auditor, "check --tenant initech --user a@b.c", 2, "(no-such-tenant)"},
		{answers(http.StatusTooManyRequests, "Retry-After", "7"), "tenants list", 1, "asked too often: try again in 7s"},
		{answers(http.StatusFound, "Location", h.httpURL+"/api/v1/tenants"), "tenants list", 1, "answers 302 Found, which is no answer"},
		{answers(http.StatusOK, "Content-Type", "text/html"), "tenants list", 1, "no answer of a Control Center's API"},
		{&visitor{server: gone.URL, tokenFile: auditor.tokenFile}, "tenants list", 1, "the server cannot be reached: 127.0.0.1:"},
		{&visitor{server: untrusted.URL, tokenFile: auditor.tokenFile}, "tenants list", 1, "the server's certificate is not trusted: 127.0.0.1:"},
		{&visitor{server: "http://rollcall.example.com", tokenFile: auditor.tokenFile}, "tenants list", 1, "a token is sent over https alone"},
		{&visitor{server: "rollcall.example.com", tokenFile: auditor.tokenFile}, "tenants list", 1, "want a URL such as"},
		{&visitor{server: h.httpURL, tokenFile: fileOf(t, "rc_one rc_two")}, "tenants list", 1, "holds none"},
		{&visitor{server: h.httpURL, tokenFile: "/none/such"}, "tenants list", 1, "no such file"},
		{&visitor{server: h.httpURL}, "tenants list", 2, "--token-file"},
		{auditor, "tokens make --name a --role auditor", 2, "tokens make works on the NATS server itself: run it without --server"},
		{auditor, "audit --tenant contoso", 2, "audit works on the NATS server itself: run it without --server"},
		{auditor, "version", 2, "version asks no server"},
		{auditor, "tenants list --nats nats://127.0.0.1:1", 2, "--server and --nats name two places"},
		{auditor, "check --tenant a --user b --ledger x", 2, "--server and --ledger name two places"},
		{auditor, "refresh --tenant contoso --by ada", 2, "--by: the server writes down whose token it is"},
	} {
		stdout, told, code := c.who.run(t, strings.Fields(c.args)...)
		if code != c.code || stdout != "" || !strings.Contains(told, c.says) {
			t.Errorf("%s: exit code %d, stdout %q, want %q:\n%s", c.args, code, stdout, c.says, told)
		}
	}
}
