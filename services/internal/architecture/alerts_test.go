package architecture

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"
)

// alerts is a file of rules as Prometheus reads it.
type alerts struct {
	Groups []struct {
		Name  string
		Rules []alert
	}
}

type alert struct {
	Alert       string
	Expr        string
	For         time.Duration
	Labels      struct{ Severity string }
	Annotations struct {
		Summary    string
		RunbookURL string `yaml:"runbook_url"`
	}
}

// runbooks is where the sections are that say what to do.
const runbooks = "https://github.com/rollcall-hq/rollcall/blob/main/docs/operations.md#"

// labelled is a label that a rule wants to have a value of ours. Numbers are of nobody's making.
var labelled = regexp.MustCompile(`[a-z]+="([a-z-]+)"`)

// checkAlerts: whoever is woken finds what to do, and no alert waits for a metric that nothing exports, or for a label that
// nothing writes: it would be silent for ever, and nobody would notice.
func checkAlerts(all []source, rules, document string) (faults []string) {
	var file alerts
	decoder := yaml.NewDecoder(strings.NewReader(rules))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return []string{err.Error()}
	}
	exported, words := exports(all)
	sections, names := anchors(document), map[string]bool{}
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			add := func(format string, args ...any) {
				faults = append(faults, rule.Alert+" "+fmt.Sprintf(format, args...))
			}
			if names[rule.Alert] {
				add("is there twice")
			}
			names[rule.Alert] = true
			metrics := metric.FindAllString(rule.Expr, -1)
			if len(metrics) == 0 {
				add("is of no metric of ours")
			}
			for _, name := range metrics {
				if !exported[name] {
					add("waits for %s, which nothing exports", name)
				}
			}
			for _, value := range labelled.FindAllStringSubmatch(rule.Expr, -1) {
				if !words[value[1]] {
					add("waits for the label %s, which nothing writes", value[0])
				}
			}
			if !slices.Contains([]string{"critical", "warning"}, rule.Labels.Severity) {
				add("is of the severity %q", rule.Labels.Severity)
			}
			if rule.Annotations.Summary == "" {
				add("does not say what is the matter")
			}
			anchor, found := strings.CutPrefix(rule.Annotations.RunbookURL, runbooks)
			if !found || !sections[anchor] {
				add("points at %q, and there is no such section", rule.Annotations.RunbookURL)
			}
			if !strings.Contains(document, "`"+rule.Alert+"`") {
				add("is not named in docs/operations.md")
			}
		}
	}
	if len(names) == 0 {
		faults = append(faults, "there is no alert")
	}
	return faults
}

// exports are the metrics that our code exports, and all words that it writes down.
func exports(all []source) (metrics, words map[string]bool) {
	metrics, words = map[string]bool{}, map[string]bool{}
	for _, s := range all {
		if s.test() {
			continue
		}
		for _, name := range metricsIn(s.File) {
			metrics[name] = true
		}
		ast.Inspect(s.File, func(n ast.Node) bool {
			if word, ok := text(n); ok {
				words[word] = true
			}
			return true
		})
	}
	return metrics, words
}

func TestAlerts(t *testing.T) {
	t.Parallel()
	read := func(path string) string {
		body, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(path)))
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	rules := read("deploy/alerts/rollcall.rules.yml")
	report(t, checkAlerts(must(t, sources), rules, read("docs/operations.md")))
	tried := []byte(read("deploy/alerts/rollcall.test.yml"))
	for _, match := range regexp.MustCompile(`(?m)^ +- alert: (\w+)$`).FindAllStringSubmatch(rules, -1) {
		if !bytes.Contains(tried, []byte("alertname: "+match[1]+"\n")) {
			t.Errorf("deploy/alerts/rollcall.test.yml does not try %s", match[1])
		}
	}
}

func TestAlertsComplain(t *testing.T) {
	t.Parallel()
	all := []source{parsed(t, "a.go", "package a\nconst name, value = \"rollcall_things_total\", \"lost\"")}
	const good = `groups:
  - name: g
    rules:
      - alert: ThingsLost
        expr: rollcall_things_total{outcome="lost"} > 0
        for: 5m
        labels: {severity: warning}
        annotations: {summary: Things are lost, runbook_url: "` + runbooks + `things-are-lost"}
`
	const document = "## Things are lost\n\n`ThingsLost`: find them.\n"
	if faults := checkAlerts(all, good, document); len(faults) != 0 {
		t.Errorf("a good one is refused: %v", faults)
	}
	for old, bad := range map[string]string{
		"rollcall_things_total": "rollcall_stuff_total",
		"rollcall_things":       "up",
		`"lost"`:                `"gone"`,
		"warning":               "some",
		"Things are lost":       `""`,
		"#things-are-lost":      "#no-such-section",
		runbooks:                "https://example.com/#",
		"for: 5m":               "four: 5m",
		"      - alert":         "      - alert: ThingsLost\n        expr: rollcall_things_total\n        labels: {severity: warning}\n        annotations: {summary: s, runbook_url: \"" + runbooks + "things-are-lost\"}\n      - alert",
	} {
		if faults := checkAlerts(all, strings.Replace(good, old, bad, 1), document); len(faults) != 1 {
			t.Errorf("%q for %q: want one fault, got %v", bad, old, faults)
		}
	}
	if faults := checkAlerts(all, good, "## Things are lost\n"); len(faults) != 1 {
		t.Errorf("one that no document names: %v", faults)
	}
	if faults := checkAlerts(all, "", document); len(faults) != 1 {
		t.Errorf("no alerts at all: %v", faults)
	}
}
