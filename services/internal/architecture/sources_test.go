package architecture

import (
	"fmt"
	"go/ast"
	"path"
	"slices"
	"strings"
	"testing"
)

// longest is how many lines a file may have before somebody asks where its seam is. Nobody reads what is generated.
const longest = 400

// long are the files that were asked, with the answer.
var long = map[string]string{}

func checkLength(all []source, reasons map[string]string) (faults []string) {
	seen := map[string]bool{}
	for _, s := range all {
		if s.generated() {
			continue
		}
		seen[s.Path] = s.Lines > longest
		if s.Lines > longest && reasons[s.Path] == "" {
			faults = append(faults, fmt.Sprintf("%s has %d lines, more than %d: find its seam, or list it with the reason", s.Path, s.Lines, longest))
		}
	}
	for path := range reasons {
		if !seen[path] {
			faults = append(faults, path+" is listed as long and is not: strike it off")
		}
	}
	return faults
}

// checkNames: a package is named for what it does, never for being of use to others.
func checkNames(all []source) (faults []string) {
	for _, s := range all {
		name := strings.TrimSuffix(s.File.Name.Name, "_test")
		if slices.Contains([]string{"util", "utils", "common", "models", "model", "helpers", "helper", "misc", "shared"}, name) {
			faults = append(faults, fmt.Sprintf("%s is of package %s: name it for what it does", s.Path, name))
		}
	}
	return faults
}

// checkSleeps: a test that sleeps is slow when it passes and wrong when it fails. They wait for events, or move a clock.
func checkSleeps(all []source) (faults []string) {
	for _, s := range all {
		if !s.test() {
			continue
		}
		for range uses(s.File, "time", "Sleep") {
			faults = append(faults, s.Path+" sleeps: wait for the event, or use a fake clock or synctest")
		}
	}
	return faults
}

// checkCredentials: tokens come from azidentity, in tests as in production. A package that hands tokens on imports
// azidentity; nobody writes a token down, and nobody goes without.
func checkCredentials(all []source) (faults []string) {
	const (
		kiota      = "github.com/microsoft/kiota-abstractions-go/authentication"
		azcore     = "github.com/Azure/azure-sdk-for-go/sdk/azcore"
		azidentity = "github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	)
	honest := map[string]bool{} // folders of packages that import azidentity
	for _, s := range all {
		if imports(s.File, azidentity) != "" {
			honest[path.Dir(s.Path)] = true
		}
	}
	for _, s := range all {
		for _, decl := range s.File.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if ok && f.Recv != nil && !honest[path.Dir(s.Path)] && slices.Contains([]string{"GetToken", "GetAuthorizationToken"}, f.Name.Name) {
				faults = append(faults, fmt.Sprintf("%s implements %s without azidentity", s.Path, f.Name.Name))
			}
		}
		for range literals(s.File, azcore, "AccessToken") {
			faults = append(faults, s.Path+" writes an azcore.AccessToken of its own")
		}
		for _, name := range []string{"AnonymousAuthenticationProvider", "NewApiKeyAuthenticationProvider", "NewApiKeyAuthenticationProviderWithValidHosts"} {
			for range uses(s.File, kiota, name) {
				faults = append(faults, fmt.Sprintf("%s uses %s: requests are authenticated by azidentity", s.Path, name))
			}
		}
	}
	return faults
}

// checkLogger: loggers come in by constructor. (sloglint says the same of slog's own functions; this holds without it.)
func checkLogger(all []source) (faults []string) {
	for _, s := range all {
		if s.test() {
			continue
		}
		for _, name := range []string{"Default", "SetDefault"} {
			for range uses(s.File, "log/slog", name) {
				faults = append(faults, fmt.Sprintf("%s uses slog.%s: the logger comes in by constructor", s.Path, name))
			}
		}
	}
	return faults
}

func TestSources(t *testing.T) {
	t.Parallel()
	all := must(t, sources)
	if len(all) == 0 {
		t.Fatal("no sources found")
	}
	report(t, checkLength(all, long))
	report(t, checkNames(all))
	report(t, checkSleeps(all))
	report(t, checkCredentials(all))
	report(t, checkLogger(all))
}

// TestSourceRulesComplain shows each rule a file that breaks it, and one beside it that does not.
func TestSourceRulesComplain(t *testing.T) {
	t.Parallel()
	length := func(all []source) []string { return checkLength(all, map[string]string{}) }
	for _, c := range []struct {
		rule      string
		check     func([]source) []string
		path      string
		bad, good string
	}{
		{"length", length, "a.go", "package a\n" + strings.Repeat("\n", longest), "package a\n"},
		{"names", checkNames, "a.go", "package utils", "package ledger"},
		{"names of tests", checkNames, "a_test.go", "package common_test", "package ledger_test"},
		{
			"sleeps", checkSleeps, "a_test.go", "package a\nimport clock \"time\"\nfunc f() { clock.Sleep(1) }",
			"package a\nimport \"time\"\nfunc f() { time.After(1) }",
		},
		{
			"credentials", checkCredentials, "a_test.go", "package a\ntype static struct{}\nfunc (static) GetToken() {}",
			"package a\nimport _ \"github.com/Azure/azure-sdk-for-go/sdk/azidentity\"\ntype static struct{}\nfunc (static) GetToken() {}",
		},
		{
			"tokens", checkCredentials, "a_test.go",
			"package a\nimport \"github.com/Azure/azure-sdk-for-go/sdk/azcore\"\nvar t = azcore.AccessToken{Token: \"x\"}",
			"package a\nimport \"github.com/Azure/azure-sdk-for-go/sdk/azcore\"\nvar t = azcore.AccessToken{}",
		},
		{
			"anonymous access", checkCredentials, "a.go",
			"package a\nimport auth \"github.com/microsoft/kiota-abstractions-go/authentication\"\nvar p = &auth.AnonymousAuthenticationProvider{}",
			"package a\nimport auth \"github.com/microsoft/kiota-abstractions-go/authentication\"\nvar p auth.AuthenticationProvider",
		},
		{
			"logger", checkLogger, "a.go", "package a\nimport \"log/slog\"\nvar l = slog.Default()",
			"package a\nimport \"log/slog\"\nvar l = slog.New(nil)",
		},
	} {
		if len(c.check([]source{parsed(t, c.path, c.bad)})) == 0 {
			t.Errorf("%s: allows %q", c.rule, c.bad)
		}
		if faults := c.check([]source{parsed(t, c.path, c.good)}); len(faults) != 0 {
			t.Errorf("%s: complains about %q: %v", c.rule, c.good, faults)
		}
	}
	const marked = "// Code generated by a generator. DO NOT EDIT.\n\npackage a\n"
	if faults := length([]source{parsed(t, "a.gen.go", marked+strings.Repeat("\n", longest))}); len(faults) != 0 {
		t.Errorf("complains about what is generated: %v", faults)
	}
	if len(length([]source{parsed(t, "a.go", marked+strings.Repeat("\n", longest))})) == 0 {
		t.Error("a file that only says that it is generated may be long")
	}
	if len(checkLength(nil, map[string]string{"gone.go": "it was long"})) == 0 {
		t.Error("a file that is no longer long stays on the list")
	}
}

func parsed(t *testing.T, path, text string) source {
	t.Helper()
	return must(t, func() (source, error) { return parse(path, []byte(text)) })
}
