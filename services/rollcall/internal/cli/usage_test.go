package cli_test

import (
	"bytes"
	"maps"
	"strings"
	"testing"

	"github.com/rollcall-hq/rollcall/services/rollcall/internal/cli"
)

func run(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, told bytes.Buffer
	data := t.TempDir()
	getenv := func(name string) string { return map[string]string{"ROLLCALL_DATA": data}[name] }
	err := cli.Run(t.Context(), args, getenv, nil, &out, &told)
	return out.String(), told.String(), cli.ExitCode(err)
}

func TestHelpTeaches(t *testing.T) {
	t.Parallel()
	for _, command := range []string{
		"", "demo", "serve", "tenants add", "tenants list", "tenants show", "tenants verify", "events", "check", "explain", "refresh", "simulate",
		"tenants products", "tenants settings", "tenants pause", "tenants resume", "tenants disconnect", "tenants erase", "freeze", "unfreeze",
		"held list", "held show", "held approve", "held reject", "licenses list", "seats set", "seats show", "seats report", "audit",
		"simulate add-user", "simulate remove-user", "simulate restore-user", "simulate suspend", "simulate unsuspend", "simulate rename",
		"simulate add-group", "simulate remove-group", "simulate rename-group", "simulate add-member", "simulate remove-member",
		"dead-letters list", "dead-letters show", "dead-letters replay", "dead-letters drop",
		"simulate archive", "simulate unarchive", "topology", "keys list", "keys rotate", "tokens make", "tokens list", "tokens revoke", "simulate generate", "simulate push", "simulate lag",
		"simulate faults", "torture", "torture look",
	} {
		stdout, stderr, code := run(t, append(strings.Fields(command), "--help")...)
		if code != 0 || stderr != "" {
			t.Errorf("%s --help: %d %s", command, code, stderr)
		}
		for _, part := range []string{"Examples:\n", "  rollcall ", "--output"} {
			if !strings.Contains(stdout, part) {
				t.Errorf("%s --help lacks %q:\n%s", command, part, stdout)
			}
		}
	}
}

// TestMistakesAreToldOnOneLine: one line says what is wrong, for a mistake in the command line another where help is.
func TestMistakesAreToldOnOneLine(t *testing.T) {
	t.Parallel()
	for line, c := range map[string]struct {
		code int
		says string
	}{
		"frobnicate":                             {2, "unknown command"},
		"tenants frobnicate":                     {2, "unknown command"},
		"simulate frobnicate a":                  {2, "unknown command"},
		"check":                                  {2, `"tenant", "user"`},
		"check --user= --tenant a":               {2, "--user is empty"},
		"explain --user= --tenant a":             {2, "--user is empty"},
		"check --tenant a --user b":              {2, "there is no ledger yet"},
		"explain --tenant a --user b":            {1, "there is no ledger yet"},
		"events --since yesterday":               {2, "--since"},
		"events --type gone":                     {2, "--type"},
		"events --from-sequence 3":               {2, "--from-sequence"},
		"events":                                 {1, "no rollcall runs"},
		"tenants list -o xml":                    {2, "xml"},
		"tenants list --nats nats://127.0.0.1:1": {1, "connect to NATS"},
		"tenants add a --client-id c --connected-by nobody --directory-id d":                              {2, "--connected-by"},
		"tenants add a --client-id c --connected-by a@b.c --directory-id d":                               {2, "either a file or an environment variable"},
		"tenants add A. --client-id c --connected-by a@b.c --directory-id d --secret-env E":               {2, "id \"A.\""},
		"tenants add a --client-id c --connected-by a@b.c --directory-id d --product mail":                {2, "--product"},
		"tenants add a --client-id c --connected-by a@b.c --directory-id d --certificate-file c":          {2, "--credential is client-secret"},
		"tenants add a --client-id c --connected-by a@b.c --directory-id d --secret-env E --api http://x": {2, "https"},
		"refresh --tenant a --key 1/2":                              {2, "--key"},
		"refresh --tenant a --yes":                                  {2, "--preview"},
		"refresh --tenant a --by Ada@contoso.com":                   {2, "--by"},
		"explain --tenant a --user b -o csv":                        {2, "prints no list"},
		"freeze --by ada@contoso.com":                               {2, "--by"},
		"freeze":                                                    {1, "no rollcall runs"},
		"held list":                                                 {1, "there is no ledger yet"},
		"held show":                                                 {2, "accepts 1 arg"},
		"held show flip-1":                                          {2, `"tenant"`},
		"held approve flip-1 --tenant a":                            {2, `"revision"`},
		"held approve flip-1 --tenant a --revision 0":               {2, "--revision 0"},
		"held reject flip-1 --tenant a --product p":                 {1, "no rollcall runs"},
		"held reject flip-1 --tenant a --product p --by a@b":        {2, "--by"},
		"dead-letters list --stream KV_owners":                      {2, "--stream"},
		"dead-letters list --tenant a.b":                            {2, "--tenant"},
		"dead-letters list":                                         {1, "no rollcall runs"},
		"dead-letters show first":                                   {2, "no sequence"},
		"dead-letters replay":                                       {2, "--all"},
		"dead-letters replay 7 --all":                               {2, "--all"},
		"dead-letters replay 7 --tenant a":                          {2, "with --all only"},
		"dead-letters replay 0":                                     {2, "no sequence"},
		"dead-letters drop 7":                                       {2, `"reason"`},
		"dead-letters drop 7 --reason=":                             {2, "--reason"},
		"dead-letters drop 7 --reason=ann@contoso.com":              {2, "--reason"},
		"dead-letters drop 7 --reason done --by a@b":                {2, "--by"},
		"dead-letters drop 7 --reason done":                         {1, "no rollcall runs"},
		"licenses list --tenant a --at noon":                        {2, "--at"},
		"audit --tenant a --since noon":                             {2, "--since"},
		"audit --tenant a --until noon":                             {2, "--until"},
		"explain --tenant a --user b --at noon":                     {2, "--at"},
		"seats set --tenant a --product p":                          {2, "nothing is set"},
		"seats set --tenant a --product p --purchased many":         {2, "--purchased"},
		"seats set --tenant a --product p --purchased -2":           {2, "--purchased"},
		"seats show --tenant a --line -1":                           {2, "--line"},
		"seats report --tenant a --from 1.1.2026":                   {2, "--from"},
		"seats report --tenant a --from 2026-02-01 --to 2026-01-31": {2, "behind"},
		"tenants disconnect a":                                      {2, `"licenses"`},
		"tenants disconnect a --licenses burn":                      {2, "keep or revoke"},
		"tenants erase a":                                           {2, "--confirm"},
		"tenants erase a --confirm A":                               {2, "exactly"},
		"tenants erase a --confirm a":                               {1, "no rollcall runs"},
		"tenants settings a --hold-flips never":                     {2, "hold or apply"},
		"tenants settings a --hold-share 101":                       {2, "percent"},
		"tenants settings a --hold-least 0":                         {2, "--hold-least"},
		"tenants settings a --hold-expiry 1s":                       {2, "a minute"},
		"tenants settings a --never-hold --hold-share 5":            {2, "--never-hold"},
		"tenants products a --add mail":                             {2, "secure-share, drive, email"},
		"tenants products a --products-file /none/such":             {2, "--products-file"},
		"torture --provider okta":                                   {2, "--provider"},
		"torture --speed 11":                                        {2, "speed 11"},
		"torture --minutes 0":                                       {2, "want more than 0"},
		"torture look":                                              {2, "accepts 1 arg"},
		"torture look /none --user u":                               {2, "--tenant"},
		"tokens make":                                               {2, `"name", "role"`},
		"tokens make --name a --role king":                          {2, "king"},
		"tokens make --name a --role tenant-admin":                  {2, "bound"},
		"tokens make --name a --role auditor --expires soon":        {2, "soon"},
		"tokens make --name a --role auditor --expires 2001-01-01":  {2, "a time to come"},
		"tokens make --name a --role auditor --expires-in 10000h":   {2, "within a year"},
		"tokens make --name a --role auditor --scope all":           {2, `"all"`},
		"tokens make --name a@b.c --role king --by a@b.c":           {2, "by: want"},
		"tokens make --name a --role auditor":                       {1, "no rollcall runs"},
		"tokens list":                                               {1, "no rollcall runs"},
		"tokens revoke":                                             {2, "accepts 1 arg"},
		"simulate suspend a@b.c":                                    {1, "no demo runs"},
		"simulate push sideways":                                    {2, "sideways"},
		"simulate lag soon":                                         {2, "soon"},
		"simulate faults off off":                                   {2, "KIND=RATE"},
		"simulate faults cut=often":                                 {2, "cut=often"},
		"simulate faults none=0.1":                                  {2, "push-lost"},
		"simulate faults cut=0.6 failed=0.6":                        {2, "more than 1"},
		"simulate faults cut=0.6 --for 0s":                          {2, "--for"},
		"simulate faults":                                           {1, "no demo runs"},
		"simulate suspend a --simulator https://127.0.0.1:1":        {2, "--simulator-ca"},
		"demo --users 3 --once":                                     {1, "users"},
		"demo --log-level loud":                                     {2, "loud"},
		"demo --nats-addr 0.0.0.0:0 --once":                         {1, "loopback"},
		"demo --http-addr here --once":                              {1, "http.addr"},
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			stdout, stderr, code := run(t, strings.Fields(line)...)
			want := 1 // lines
			if code == 2 && !strings.HasPrefix(line, "check --tenant") {
				want = 2
			}
			if code != c.code || stdout != "" || !strings.Contains(stderr, c.says) || strings.Count(stderr, "\n") != want {
				t.Errorf("exit code %d, stdout %q, stderr:\n%s", code, stdout, stderr)
			}
		})
	}
}

// TestAddRefusesWhatCannotBe: a tenant cannot be taken away again, so what is wrong must not be stored.
func TestAddRefusesWhatCannotBe(t *testing.T) {
	t.Parallel()
	const id = "9f4a1c2e-5d1b-4c55-9d53-0f3f6f0a9a11"
	good := map[string]string{"--directory-id": id, "--connected-by": "admin@contoso.com", "--client-id": id, "--secret-env": "SECRET"}
	for _, c := range []struct{ flag, value, says string }{
		{"--directory-id", "contoso", `--directory-id "contoso"`},
		{"--client-id", "rollcall", `--client-id "rollcall"`},
		{"--connected-by", "Admin <admin@contoso.com>", "--connected-by"},
		{"--connected-by", "admin@contoso", "--connected-by"},
		{"--connected-by", "@contoso.com", "--connected-by"},
		{"--provider", "ldap", "want entra or google-workspace"},
		{"--secret-env", "7~s3cret", "name of an environment variable"},
		{"--api", "https://graph.microsoft.us/v1.0", "belong together"},
		{"--authority", "https://login.microsoftonline.us", "belong together"},
		{"--directory-id", strings.ToUpper(id), "no rollcall runs"}, // the only good one
	} {
		t.Run(c.flag+" "+c.value, func(t *testing.T) {
			t.Parallel()
			flags := maps.Clone(good)
			flags[c.flag] = c.value
			args := []string{"tenants", "add", "contoso"}
			for flag, value := range flags {
				args = append(args, flag, value)
			}
			_, stderr, code := run(t, args...)
			want := 2
			if c.says == "no rollcall runs" {
				want = 1
			}
			if code != want || !strings.Contains(stderr, c.says) || strings.Contains(stderr, "s3cret") {
				t.Errorf("exit code %d: %s", code, stderr)
			}
		})
	}
}

func TestServeCheckTellsFaultsAndSettings(t *testing.T) {
	t.Parallel()
	_, stderr, code := run(t, "serve", "--check", "--role", "butler", "--http-addr", "here")
	for _, fault := range []string{"butler", "http.addr", "intake.public_url"} {
		if code != 1 || (fault != "intake.public_url") != strings.Contains(stderr, fault) {
			t.Errorf("exit code %d, %s:\n%s", code, fault, stderr)
		}
	}
	stdout, stderr, code := run(t, "serve", "--check", "--role", "worker", "--nats", "nats://nats:4222", "-o", "jsonl")
	if code != 0 || !strings.Contains(stdout, `{"setting":"nats.url","env":"ROLLCALL_NATS_URL","value":"nats://nats:4222","default":false}`) ||
		!strings.Contains(stdout, `"setting":"roles","env":"ROLLCALL_ROLES","value":"worker"`) {
		t.Errorf("exit code %d, stderr %s, stdout:\n%s", code, stderr, stdout)
	}
}

func TestVersionAndCompletion(t *testing.T) {
	t.Parallel()
	if stdout, _, code := run(t, "version", "--json"); code != 0 || !strings.Contains(stdout, `"go": "go1.`) {
		t.Errorf("version: %d %s", code, stdout)
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if stdout, _, code := run(t, "completion", shell); code != 0 || !strings.Contains(stdout, "rollcall") {
			t.Errorf("completion %s: %d", shell, code)
		}
	}
}
