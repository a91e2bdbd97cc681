package cli_test

import (
	"bytes"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/rollcall-hq/rollcall/services/rollcall/internal/cli"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// terminal is a stdin at which somebody sits who has typed this.
type terminal struct{ *strings.Reader }

func (terminal) Stat() (fs.FileInfo, error) { return charDevice{}, nil }

type charDevice struct{ fs.FileInfo }

func (charDevice) Mode() fs.FileMode { return fs.ModeCharDevice }

// typing runs a command line at a terminal.
func (h *house) typing(t *testing.T, typed string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, told bytes.Buffer
	getenv := func(name string) string { return map[string]string{"ROLLCALL_DATA": h.data}[name] }
	err := cli.Run(t.Context(), args, getenv, terminal{strings.NewReader(typed)}, &out, &told)
	return out.String(), told.String(), cli.ExitCode(err)
}

// previewed is the result of a refresh with a preview.
type previewed struct {
	Done, Preview    bool
	Granted, Revoked int
	Approved         []string
	Holds            []heldChange
}

func TestAPreviewChangesNothingUntilSomebodySaysYes(t *testing.T) {
	t.Parallel()
	h := open(t, 0)
	h.connect(t)
	gone := h.someone(t)
	if out := h.must(t, "refresh", "--tenant", "contoso", "--preview"); !strings.Contains(out, "nothing would change") {
		t.Errorf("nothing has happened:\n%s", out)
	}
	if _, err := h.client.AddUser(t.Context(), "contoso", control.NewUser{Address: "new@contoso.com"}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.client.Suspend(t.Context(), "contoso", gone); err != nil {
		t.Fatal(err)
	}
	stands := func(newcomer, leaver bool) {
		t.Helper()
		if h.licensed(t, "new@contoso.com") != newcomer || h.licensed(t, gone) != leaver {
			t.Errorf("licenses are not %v and %v", newcomer, leaver)
		}
	}

	// Nobody sits there: it is left open.
	waits := ask[previewed](t, h, "refresh", "--tenant", "contoso", "--preview", "--key", "ticket-1")
	if len(waits.Holds) != 1 || waits.Holds[0].Grants != 1 || waits.Holds[0].Revocations != 1 || waits.Approved != nil || waits.Granted+waits.Revoked != 0 {
		t.Fatalf("the preview: %+v", waits)
	}
	stands(false, true)
	if _, stderr, code := h.run(t, "refresh", "--tenant", "contoso", "--key", "ticket-1"); code != 1 || !strings.Contains(stderr, "the key was used for another command") {
		t.Errorf("another refresh under its key: %d %s", code, stderr)
	}

	// Somebody says no, then nothing, then yes.
	for _, typed := range []string{"n\n", ""} {
		out, stderr, code := h.typing(t, typed, "refresh", "--tenant", "contoso", "--preview")
		for _, part := range []string{"1 would be granted a license, 1 would lose it", "GRANT", "new@contoso.com", "REVOKE", gone, "Apply this to secure-share of contoso? [y/N]"} {
			if code != 0 || !strings.Contains(stderr, part) {
				t.Errorf("%q: want %q: %d\n%s", typed, part, code, stderr)
			}
		}
		if !strings.Contains(out, "waits: \"rollcall held approve refresh-") {
			t.Errorf("%q:\n%s", typed, out)
		}
		stands(false, true)
	}
	out, stderr, code := h.typing(t, "yes\n", "refresh", "--tenant", "contoso", "--preview", "--by", "ada")
	if code != 0 || !strings.Contains(out, "is approved, and being carried out") {
		t.Fatalf("yes: %d %s\n%s", code, stderr, out)
	}
	h.awaitLicensed(t, "new@contoso.com", true, "domain-default")
	h.awaitLicensed(t, gone, false, "suspended")

	// --yes asks nobody; a list that was left open can be rejected.
	if _, err := h.client.Unsuspend(t.Context(), "contoso", gone); err != nil {
		t.Fatal(err)
	}
	if done := ask[previewed](t, h, "refresh", "--tenant", "contoso", "--preview", "--yes"); len(done.Approved) != 1 {
		t.Errorf("--yes: %+v", done)
	}
	h.awaitLicensed(t, gone, true, "domain-default")
	if _, err := h.client.Suspend(t.Context(), "contoso", gone); err != nil {
		t.Fatal(err)
	}
	left := ask[previewed](t, h, "refresh", "--tenant", "contoso", "--preview").Holds[0]
	h.must(t, "held", "reject", left.Held, "--tenant", "contoso", "--product", left.Product)
	h.awaitLicensed(t, gone, true, "held")
}

func TestNobodyIsAskedThroughAPipe(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if _, err := w.WriteString("contoso\n"); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	var out, told bytes.Buffer
	getenv := func(name string) string { return map[string]string{"ROLLCALL_DATA": t.TempDir()}[name] }
	err = cli.Run(t.Context(), []string{"tenants", "erase", "contoso"}, getenv, r, &out, &told)
	if cli.ExitCode(err) != 2 || !strings.Contains(told.String(), "exactly") {
		t.Errorf("%v: %s", err, &told)
	}
}
