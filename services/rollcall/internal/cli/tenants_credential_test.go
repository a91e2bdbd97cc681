package cli_test

import (
	"strings"
	"testing"
	"time"
)

// The end of a client secret that somebody tells is told on, with what to do; with another end that is over.
func TestTheEndOfASecretIsToldOn(t *testing.T) {
	t.Parallel()
	h := open(t, 50*time.Millisecond)
	h.connect(t)
	ends := time.Now().UTC().AddDate(0, 0, 20).Format(time.DateOnly)
	if out := h.must(t, "tenants", "credential", "contoso", "--expires", ends); !strings.Contains(out, ends+"T00:00:00Z") {
		t.Errorf("tenants credential:\n%s", out)
	}
	eventually(t, "it is listed", func() bool { return strings.Contains(h.must(t, "tenants", "list"), "CREDENTIAL ENDS") })
	out := h.must(t, "tenants", "show", "contoso")
	for _, want := range []string{
		"contoso has a CREDENTIAL THAT ENDS: The client secret of the application ends at " + ends + " 00:00 UTC.\nWhat to do: Make a new client secret",
		"tenants credential contoso --expires DATE", "credential ends      " + ends,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("tenants show lacks %q:\n%s", want, out)
		}
	}
	h.must(t, "tenants", "credential", "contoso", "--expires", "never")
	eventually(t, "it is over", func() bool { return !strings.Contains(h.must(t, "tenants", "list"), "CREDENTIAL ENDS") })
	if out := h.must(t, "events", "--tenant", "contoso", "--type", "expiring,replaced"); strings.Count(out, " expiring") != 1 || strings.Count(out, " replaced") != 1 {
		t.Errorf("events:\n%s", out)
	}
	if out := h.must(t, "audit", "--tenant", "contoso"); !strings.Contains(out, "The client secret of the application ends") || !strings.Contains(out, "of that which ends on "+ends) {
		t.Errorf("audit:\n%s", out)
	}
}

func TestAnEndThatCannotBe(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"", "soon", "2020-01-01"} {
		if _, stderr, code := run(t, "tenants", "credential", "contoso", "--expires", end); code != 2 || !strings.Contains(stderr, "--expires") {
			t.Errorf("%q: exit code %d: %s", end, code, stderr)
		}
	}
	_, stderr, code := run(t, "tenants", "add", "contoso", "--directory-id", "9f4a1c2e-5d1b-4c55-9d53-0f3f6f0a9a11", "--connected-by", "admin@contoso.com",
		"--client-id", "1b7f6a52-8f0c-4c0e-9c2e-3a5d8e0b7c21", "--secret-file", "s", "--secret-expires", "2020-01-01")
	if code != 2 || !strings.Contains(stderr, "--secret-expires") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}
