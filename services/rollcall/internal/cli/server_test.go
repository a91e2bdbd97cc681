package cli_test

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/services/rollcall/internal/cli"
)

// visitor is somebody who has the address of a house and a token, and neither its folder nor its NATS.
type visitor struct {
	server, tokenFile string
}

// visitor makes a token, as somebody in the house does for a program.
func (h *house) visitor(t *testing.T, args ...string) *visitor {
	t.Helper()
	made := ask[struct{ Token string }](t, h, append([]string{"tokens", "make", "--name", "elsewhere"}, args...)...)
	return &visitor{server: h.httpURL, tokenFile: fileOf(t, made.Token+"\n")}
}

func fileOf(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// run runs a command line that asks the server.
func (v *visitor) run(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, told bytes.Buffer
	getenv := func(string) string { return "" }
	err := cli.Run(t.Context(), append(args, "--server", v.server, "--token-file", v.tokenFile), getenv, nil, &out, &told)
	if strings.Contains(out.String()+told.String(), "rc_") {
		t.Errorf("rollcall %v tells the token:\n%s%s", args, &out, &told)
	}
	return out.String(), told.String(), cli.ExitCode(err)
}

func (v *visitor) must(t *testing.T, args ...string) string {
	t.Helper()
	stdout, stderr, code := v.run(t, args...)
	if code != 0 {
		t.Fatalf("rollcall %v: exit code %d: %s", args, code, stderr)
	}
	return stdout
}

// stripped takes away what only the house itself tells, wherever it stands.
func stripped(doc any, names ...string) any {
	switch d := doc.(type) {
	case map[string]any:
		for _, name := range names {
			delete(d, name)
		}
		for name, one := range d {
			d[name] = stripped(one, names...)
		}
	case []any:
		for i, one := range d {
			d[i] = stripped(one, names...)
		}
		slices.SortStableFunc(d, func(x, y any) int { return strings.Compare(idOf(x), idOf(y)) })
	}
	return doc
}

// idOf is by what lists of users are sorted here: the API lists them by name.
func idOf(item any) string {
	m, _ := item.(map[string]any)
	user, _ := m["user"].(string)
	return user
}

// same wants the house and the server to print the same JSON, but for some fields, and to end with the same code.
func (h *house) same(t *testing.T, v *visitor, fields []string, args ...string) {
	t.Helper()
	args = append(args, "-o", "json")
	here, told, code := h.run(t, args...)
	there, toldThere, codeThere := v.run(t, args...)
	var want, got any
	if json.Unmarshal([]byte(here), &want) != nil || json.Unmarshal([]byte(there), &got) != nil || code != codeThere {
		t.Errorf("rollcall %v: %d %s and %d %s", args, code, told, codeThere, toldThere)
		return
	}
	if diff := cmp.Diff(stripped(want, fields...), stripped(got, fields...)); diff != "" {
		t.Errorf("rollcall %v (-here +over the server):\n%s", args, diff)
	}
}

// sameText wants the same table, in any order of its lines.
func (h *house) sameText(t *testing.T, v *visitor, args ...string) {
	t.Helper()
	lines := func(text string) []string {
		all := strings.Split(text, "\n")
		slices.Sort(all)
		return all
	}
	here, _, code := h.run(t, args...)
	there, told, codeThere := v.run(t, args...)
	if diff := cmp.Diff(lines(here), lines(there)); diff != "" || code != codeThere {
		t.Errorf("rollcall %v: %d, %d %s (-here +over the server):\n%s", args, code, codeThere, told, diff)
	}
}

// held has the operator's group decide, and puts the change on a list, in a house that polls nothing.
func (h *house) held(t *testing.T) (one heldChange, members []string) {
	t.Helper()
	all := h.active(t)
	h.must(t, "simulate", "add-group")
	for _, user := range all[:2] {
		h.must(t, "simulate", "add-member", user)
	}
	h.must(t, "refresh", "--tenant", "contoso")
	return h.awaitHeld(t, "flip", 0, len(all)-2), all
}

// TestAServerAnswersAsTheLedgerDoes compares what is printed with and without --server.
func TestAServerAnswersAsTheLedgerDoes(t *testing.T) {
	t.Parallel()
	h := open(t, 0)
	h.connect(t)
	v := h.visitor(t, "--role", "operator")
	flip, all := h.held(t)
	ann, bob := all[0], all[2]
	which := []string{"--tenant", "contoso"}
	about := func(user string) []string { return append([]string{"--user", user}, which...) }
	asked := func() {
		t.Helper()
		for _, args := range [][]string{
			append([]string{"check"}, about(ann)...),
			append([]string{"check"}, about(bob)...),
			append([]string{"check", "--action", "share.initiate"}, about(bob)...),
			append([]string{"check", "--product", "secure-share", "--action", "share.receive"}, about(bob)...),
			append([]string{"check"}, about("nobody@contoso.com")...),
			append([]string{"explain"}, about(ann)...),
			append([]string{"explain"}, about(bob)...),
			append([]string{"explain"}, about("nobody@contoso.com")...),
			append([]string{"licenses", "list"}, which...),
			{"held", "list"},
			append([]string{"held", "list", "--all"}, which...),
			append([]string{"held", "show", flip.Held}, which...),
			append([]string{"held", "show", flip.Held, "--product", "secure-share"}, which...),
			append([]string{"seats", "show"}, which...),
			{"tenants", "settings", "contoso"},
		} {
			h.same(t, v, nil, args...)
			h.sameText(t, v, args...)
		}
		h.same(t, v, []string{"to"}, append([]string{"seats", "report"}, which...)...)
		h.sameText(t, v, append([]string{"seats", "report", "--from", "2026-01-01", "--to", "2026-01-02", "-o", "csv"}, which...)...)
		h.sameText(t, v, append([]string{"licenses", "list", "-o", "csv"}, which...)...)
		h.sameText(t, v, "tenants", "list")
		h.same(t, v, []string{"credential", "endpoints", "name", "group", "licensed", "active"}, "tenants", "list")
		h.same(t, v, []string{"credential", "endpoints", "known"}, "tenants", "show", "contoso")
		for _, at := range []string{"1h", "1ms"} {
			h.same(t, v, nil, append([]string{"licenses", "list", "--at", at}, which...)...)
			h.same(t, v, []string{"at", "mode", "group", "chain"}, append([]string{"explain", "--at", at}, about(bob)...)...)
		}
	}
	asked()
	v.must(t, append([]string{"seats", "set", "--product", "secure-share", "--purchased", "1"}, which...)...)
	v.must(t, append([]string{"held", "approve", flip.Held, "--revision", "1", "--wait"}, which...)...)
	h.must(t, append([]string{"held", "show", flip.Held, "--wait"}, which...)...)
	if h.licensed(t, bob) || !h.licensed(t, ann) {
		t.Error("what was approved over the server is not carried out")
	}
	asked()
	v.must(t, append([]string{"seats", "set", "--product", "secure-share", "--enforce"}, which...)...)
	h.must(t, "simulate", "add-member", bob)
	if out := v.must(t, append([]string{"refresh"}, which...)...); !strings.Contains(out, "contoso is refreshed: users ") {
		t.Errorf("refresh: %s", out)
	}
	h.awaitLicensed(t, bob, false, "over-seat-limit")
	asked()
	if out := v.must(t, append([]string{"seats", "show"}, which...)...); !strings.Contains(out, "purchased            1\n") || !strings.Contains(out, "place 1 ") {
		t.Errorf("what was set one by one:\n%s", out)
	}
}

// TestAServerTellsOfARemovedProduct as the ledger does: whoever names it is answered.
func TestAServerTellsOfARemovedProduct(t *testing.T) {
	t.Parallel()
	h := open(t, 50*time.Millisecond)
	h.connect(t)
	v := h.visitor(t, "--role", "operator")
	who := h.active(t)[0]
	h.must(t, "tenants", "products", "contoso", "--add", "drive")
	h.must(t, "tenants", "products", "contoso", "--remove", "secure-share")
	h.must(t, "refresh", "--tenant", "contoso") // with which the worker has heard of it
	which := []string{"--tenant", "contoso", "--product", "secure-share"}
	for _, args := range [][]string{
		append([]string{"check", "--user", who}, which...),
		append([]string{"explain", "--user", who}, which...),
		append([]string{"licenses", "list"}, which...),
		append([]string{"seats", "show"}, which...),
		{"check", "--tenant", "contoso", "--user", who},
	} {
		h.same(t, v, []string{"as_of"}, args...)
	}
	if out := v.must(t, append([]string{"check", "--user", who}, which...)...); !strings.Contains(out, "is licensed for secure-share: so it was when contoso still had the product.") {
		t.Errorf("a license that stands:\n%s", out)
	}
	if _, told, code := v.run(t, append([]string{"seats", "set", "--purchased", "1"}, which...)...); code != 1 || !strings.Contains(told, "it has drive") {
		t.Errorf("seats of it: %d %s", code, told)
	}
}

// TestAServerFromTheEnvironment is asked where nothing on the command line names another place.
func TestAServerFromTheEnvironment(t *testing.T) {
	t.Parallel()
	h := open(t, 0)
	h.connect(t)
	v := h.visitor(t, "--role", "auditor")
	front := httptest.NewTLSServer(httputil.NewSingleHostReverseProxy(parsed(t, h.httpURL)))
	t.Cleanup(front.Close)
	ca := fileOf(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw})))
	env := map[string]string{
		"ROLLCALL_SERVER": front.URL, "ROLLCALL_TOKEN_FILE": v.tokenFile, "ROLLCALL_SERVER_CA_FILE": ca, "ROLLCALL_DATA": h.data,
	}
	for args, c := range map[string]struct {
		code        int
		says, tells string
	}{
		"tenants show contoso":                         {0, "contoso.com", "the server does not tell"},
		"tenants show contoso --data " + h.data:        {0, "credential", ""},
		"check --tenant contoso --user nobody":         {1, "contoso has no user nobody.", ""},
		"tokens list --nats " + h.natsURL:              {0, "elsewhere", ""},
		"tokens list":                                  {2, "", "tokens list works on the NATS server itself: run it without --server (or ROLLCALL_SERVER)"},
		"version":                                      {0, "rollcall", ""},
		"serve --check --http-addr 127.0.0.1:0":        {1, "", "intake.public_url"},
		"held":                                         {0, "Available Commands", ""},
		"seats show --tenant contoso --server-ca none": {1, "", "read the CAs"},
	} {
		var out, told bytes.Buffer
		err := cli.Run(t.Context(), strings.Fields(args), func(name string) string { return env[name] }, nil, &out, &told)
		if code := cli.ExitCode(err); code != c.code || !strings.Contains(out.String(), c.says) || !strings.Contains(told.String(), c.tells) || c.tells == "" && told.Len() > 0 {
			t.Errorf("%s: exit code %d:\n%s%s", args, code, &out, &told)
		}
	}
}

func parsed(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
