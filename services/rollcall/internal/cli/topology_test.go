package cli_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/rollcall-hq/rollcall/services/internal/natsserver/natstest"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/cli"
)

// What docs/operations.md has the operator do on a NATS server that knows its users.
func TestTopologyOfThreeAccounts(t *testing.T) {
	t.Parallel()
	server := natstest.Start(t)
	topology := func(user string, args ...string) (stdout, stderr string, code int) {
		args = append([]string{"topology", "--nats", server.URL(), "--nats-user", user, "--nats-password-file", server.PasswordFile(user), "-o", "csv"}, args...)
		var out, told bytes.Buffer
		err := cli.Run(t.Context(), args, func(string) string { return "" }, nil, &out, &told)
		return out.String(), told.String(), cli.ExitCode(err)
	}
	for _, c := range []struct {
		user    string
		args    []string
		streams []string
	}{
		{"operator", nil, []string{"LICENSES,0,1,", "LEDGER_IN,0,1,", "KV_tenants,0,1,"}},
		{"readers-operator", []string{"--copies"}, []string{"LICENSES,0,1,LICENSES", "KV_entitlements,0,1,KV_entitlements"}},
		{"contoso-operator", []string{"--copies", "--tenant", "contoso"}, []string{"LICENSES,0,1,LICENSES", "KV_entitlements,0,1,KV_entitlements"}},
	} {
		stdout, stderr, code := topology(c.user, c.args...)
		if code != 0 {
			t.Fatalf("%s: %d %s", c.user, code, stderr)
		}
		for _, line := range c.streams {
			if !strings.Contains(stdout, line+"\n") {
				t.Errorf("%s: no line %q:\n%s", c.user, line, stdout)
			}
		}
	}
	for _, args := range [][]string{{"--copies"}, {"--copies", "--tenant", "initech"}} { // what is there is of contoso
		if _, stderr, code := topology("contoso-operator", args...); code != 1 || !strings.Contains(stderr, "no copy") {
			t.Errorf("%v: %d %s", args, code, stderr)
		}
	}
	if _, stderr, code := topology("operator", "--tenant", "contoso"); code != 2 || !strings.Contains(stderr, "--copies") {
		t.Errorf("a tenant without copies: %d %s", code, stderr)
	}
}
