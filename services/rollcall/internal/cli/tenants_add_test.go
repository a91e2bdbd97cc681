package cli_test

import (
	"maps"
	"strings"
	"testing"
)

// TestAddWorkspaceRefusesWhatCannotBe has flags that are read without anybody being asked; those that are good only lack a
// running house.
func TestAddWorkspaceRefusesWhatCannotBe(t *testing.T) {
	t.Parallel()
	const good = "no rollcall runs"
	flags := map[string]string{
		"--provider": "google-workspace", "--directory-id": "C03az79cb", "--connected-by": "admin@initech.com",
		"--service-account": "rollcall@vendor.iam.gserviceaccount.com",
	}
	for name, c := range map[string]struct {
		change map[string]string // "" takes the flag away
		says   []string
	}{
		"keyless":                     {nil, []string{good}},
		"with a configuration":        {map[string]string{"--credentials-file": "wif.json", "--client-id": "104857600000000000001"}, []string{good}},
		"key file":                    {map[string]string{"--credential": "google-key-file", "--key-file": "k.json", "--service-account": ""}, []string{good}},
		"another admin":               {map[string]string{"--subject": "Reader@initech.com"}, []string{good}},
		"no customer":                 {map[string]string{"--directory-id": "my_customer"}, []string{`--directory-id "my_customer"`, "Account settings"}},
		"a GUID":                      {map[string]string{"--directory-id": "9f4a1c2e-5d1b-4c55-9d53-0f3f6f0a9a11"}, []string{"C03az79cb"}},
		"no service account":          {map[string]string{"--service-account": ""}, []string{"address of the service account"}},
		"a secret":                    {map[string]string{"--secret-env": "s3cret"}, []string{"--secret-env has no meaning for --provider google-workspace"}},
		"Entra's credential":          {map[string]string{"--credential": "client-secret"}, []string{"google-impersonation or google-key-file"}},
		"a key for no key":            {map[string]string{"--key-file": "k.json"}, []string{"google-key-file is given, but --credential is google-impersonation"}},
		"no key":                      {map[string]string{"--credential": "google-key-file"}, []string{"path of its file"}},
		"a number that is none":       {map[string]string{"--client-id": "s3cret"}, []string{"10 to 30 digits"}},
		"a subject that is none":      {map[string]string{"--subject": "s3cret"}, []string{"want as subject the address"}},
		"only half of another Google": {map[string]string{"--api": "https://127.0.0.1"}, []string{"belong together"}},
		"all of it": {
			map[string]string{"--directory-id": "x", "--connected-by": "y", "--service-account": "s3cret", "--product": "mail", "--authority": "http://a"},
			[]string{`--directory-id "x"`, `--connected-by "y"`, "service account", `--product "mail"`, "belong together", "https URL"},
		},
		"Google's flags at Entra": {
			map[string]string{"--provider": "entra", "--subject": "s3cret@initech.com", "--credentials-file": "s3cret"},
			[]string{"--subject has no meaning", "--service-account has no meaning", "--credentials-file has no meaning", `--directory-id "c03az79cb"`, `--client-id ""`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := maps.Clone(flags)
			maps.Copy(all, c.change)
			args := []string{"tenants", "add", "initech"}
			for flag, value := range all {
				if value != "" {
					args = append(args, flag, value)
				}
			}
			_, stderr, code := run(t, args...)
			want := 2
			if c.says[0] == good {
				want = 1
			}
			if code != want || strings.Contains(stderr, "s3cret") || strings.Count(stderr, "\n") != want {
				t.Errorf("exit code %d: %s", code, stderr)
			}
			for _, part := range c.says {
				if !strings.Contains(stderr, part) {
					t.Errorf("want %q: %s", part, stderr)
				}
			}
		})
	}
}
