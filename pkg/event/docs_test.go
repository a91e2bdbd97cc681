package event_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/event/eventtest"
)

func eventCatalogue(t *testing.T) string {
	t.Helper()
	return readText(t, filepath.Join("..", "..", "docs", "events.md"))
}

func readText(t *testing.T, name string) string {
	t.Helper()
	body, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// fenced returns the code blocks of a language in Markdown.
func fenced(text, language string) []string {
	var blocks []string
	for _, match := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(text, -1) {
		blocks = append(blocks, match[1])
	}
	return blocks
}

// TestDocumentedEventsKeepToTheContract runs every JSON example of docs/events.md, here and through the SDK of another
// language.
func TestDocumentedEventsKeepToTheContract(t *testing.T) {
	t.Parallel()
	var bodies [][]byte
	for _, block := range fenced(eventCatalogue(t), "json") {
		eventtest.ValidateBody(t, []byte(block))
		bodies = append(bodies, []byte(block))
	}
	want := map[string]int{
		event.TypeLicenseGranted: 1, event.TypeLicenseRevoked: 1, event.TypeLicenseReasonChanged: 1, event.TypePolicyChanged: 1,
		event.TypeSettingsChanged: 1, event.TypeSeatsChanged: 1, event.TypeSeatsExceeded: 1, event.TypeLineChanged: 1, event.TypeUserActivated: 1,
		event.TypeHeldOpened: 1, event.TypeHeldListed: 2, event.TypeHeldClosed: 1,
		event.TypeConnectionDegraded: 1, event.TypeConnectionRecovered: 1, event.TypeCredentialExpiring: 1,
	}
	if diff := cmp.Diff(want, eventtest.JavaScript(t, bodies...)); diff != "" {
		t.Errorf("examples by type (-want +in docs/events.md):\n%s", diff)
	}
}

// TestDocumentedSubjectsAreThoseOfTheContract compares the table of subjects with asyncapi.yaml.
func TestDocumentedSubjectsAreThoseOfTheContract(t *testing.T) {
	t.Parallel()
	row := regexp.MustCompile("(?m)^\\| `(io\\.rollcall\\.[a-z0-9.-]+)` \\| ([A-Z_]+) \\| `([^`]+)` \\|$")
	documented := map[string]string{}
	for _, match := range row.FindAllStringSubmatch(eventCatalogue(t), -1) {
		documented[match[1]] = match[2] + " " + match[3]
	}
	promised := map[string]string{}
	doc := readAsyncAPI(t)
	for _, c := range doc.Channels {
		if c.JetStream.Stream == "" {
			continue
		}
		address := strings.NewReplacer("{", "<", "}", ">").Replace(c.Address)
		for _, eventType := range doc.messageTypes(c) {
			promised[eventType] = c.JetStream.Stream + " " + address
		}
	}
	if diff := cmp.Diff(promised, documented); diff != "" {
		t.Errorf("subjects (-asyncapi.yaml +docs/events.md):\n%s", diff)
	}
}

// TestDocumentedReasonsAreThoseOfTheContract compares the table of reasons with the schema.
func TestDocumentedReasonsAreThoseOfTheContract(t *testing.T) {
	t.Parallel()
	row := regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\| (?:true|false|either) \\|")
	documented := map[any]bool{}
	for _, match := range row.FindAllStringSubmatch(eventCatalogue(t), -1) {
		documented[match[1]] = true
	}
	promised := map[any]bool{}
	for _, reason := range enumAt(t, eventtest.Shared(t).DataSchema(event.TypeLicenseGranted), []string{"reason"}) {
		promised[reason] = true
	}
	if diff := cmp.Diff(promised, documented); diff != "" {
		t.Errorf("reasons (-schema +docs/events.md):\n%s", diff)
	}
}

// TestDocumentedGoCompiles holds that the Go of docs/events.md is that of example_test.go, which the compiler sees.
func TestDocumentedGoCompiles(t *testing.T) {
	t.Parallel()
	blocks := fenced(eventCatalogue(t), "go")
	if len(blocks) == 0 {
		t.Error("there is no Go in docs/events.md")
	}
	source := withoutIndent(readText(t, "example_test.go"))
	for _, block := range blocks {
		if !strings.Contains(source, withoutIndent(block)) {
			t.Errorf("this is not in example_test.go:\n%s", block)
		}
	}
}

func withoutIndent(text string) string {
	return regexp.MustCompile(`(?m)^[\t ]+`).ReplaceAllString(text, "")
}
