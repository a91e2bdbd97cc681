package event_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/event/eventtest"
	"github.com/rollcall-hq/rollcall/schemas"
)

// reference is a $ref, local to the document where it begins with #.
type reference struct {
	Ref string `yaml:"$ref"`
}

// asyncAPI is what the tests read of schemas/asyncapi.yaml.
type asyncAPI struct {
	Channels   map[string]channel   `yaml:"channels"`
	Operations map[string]operation `yaml:"operations"`
	Components struct {
		Messages map[string]message `yaml:"messages"`
	} `yaml:"components"`
	JetStream struct {
		Streams map[string]stream `yaml:"streams"`
		Buckets map[string]bucket `yaml:"buckets"`
	} `yaml:"x-jetstream"`
}

type channel struct {
	Address    string               `yaml:"address"`
	Parameters map[string]any       `yaml:"parameters"`
	Messages   map[string]reference `yaml:"messages"`
	JetStream  struct {
		Stream string `yaml:"stream"`
		Bucket string `yaml:"bucket"`
	} `yaml:"x-jetstream"`
}

type operation struct {
	Action  string    `yaml:"action"`
	Channel reference `yaml:"channel"`
}

type message struct {
	Name    string `yaml:"name"`
	Payload struct {
		Schema struct {
			AllOf []struct {
				Ref        string `yaml:"$ref"`
				Properties struct {
					Type struct {
						Const string `yaml:"const"`
					} `yaml:"type"`
					Data reference `yaml:"data"`
				} `yaml:"properties"`
			} `yaml:"allOf"`
		} `yaml:"schema"`
	} `yaml:"payload"`
}

func readAsyncAPI(t *testing.T) asyncAPI {
	t.Helper()
	var doc asyncAPI
	if err := yaml.Unmarshal([]byte(schemas.AsyncAPI()), &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestAsyncAPIIsValid checks the document against the specification's own schema, from the npm package @asyncapi/specs.
func TestAsyncAPIIsValid(t *testing.T) {
	t.Parallel()
	file, err := os.Open(filepath.Join(eventtest.NodeModules(t), "node_modules", "@asyncapi", "specs", "schemas", "3.0.0.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	spec, err := jsonschema.UnmarshalJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("https://asyncapi/3.0.0.json", spec); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("https://asyncapi/3.0.0.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := yaml.Unmarshal([]byte(schemas.AsyncAPI()), &doc); err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(doc); err != nil {
		t.Error(err)
	}
}

func TestAsyncAPIReferencesLeadSomewhere(t *testing.T) {
	t.Parallel()
	var doc map[string]any
	if err := yaml.Unmarshal([]byte(schemas.AsyncAPI()), &doc); err != nil {
		t.Fatal(err)
	}
	walk(doc, func(ref string) {
		if err := resolve(doc, ref); err != nil {
			t.Error(err)
		}
	})
}

func walk(node any, visit func(ref string)) {
	switch node := node.(type) {
	case map[string]any:
		for key, value := range node {
			if ref, ok := value.(string); ok && key == "$ref" {
				visit(ref)
			}
			walk(value, visit)
		}
	case []any:
		for _, value := range node {
			walk(value, visit)
		}
	}
}

func resolve(doc map[string]any, ref string) error {
	path, local := strings.CutPrefix(ref, "#/")
	if !local {
		_, err := schemas.FS.ReadFile(strings.TrimPrefix(ref, "./"))
		return err
	}
	var at any = doc
	for _, key := range strings.Split(path, "/") {
		node, _ := at.(map[string]any)
		if at = node[key]; at == nil {
			return fmt.Errorf("%s leads nowhere", ref)
		}
	}
	return nil
}

func TestAsyncAPIHasAMessageForEachType(t *testing.T) {
	t.Parallel()
	doc := readAsyncAPI(t)
	var names []string
	for key, m := range doc.Components.Messages {
		names = append(names, m.Name)
		all := m.Payload.Schema.AllOf
		if len(all) != 2 || all[0].Ref != "./events/envelope.json" || all[1].Properties.Type.Const != m.Name ||
			all[1].Properties.Data.Ref != "./events/"+m.Name+".json" {
			t.Errorf("%s: its payload is not the envelope with the data of %s", key, m.Name)
		}
	}
	slices.Sort(names)
	if diff := cmp.Diff(eventTypes, names); diff != "" {
		t.Errorf("messages (-types.go +asyncapi.yaml):\n%s", diff)
	}
}

func TestAsyncAPISaysWhoSendsAndWhoReceives(t *testing.T) {
	t.Parallel()
	doc := readAsyncAPI(t)
	actions := map[string]map[string]bool{}
	for _, op := range doc.Operations {
		if actions[op.Channel.Ref] == nil {
			actions[op.Channel.Ref] = map[string]bool{}
		}
		actions[op.Channel.Ref][op.Action] = true
	}
	used := map[string]bool{}
	for name, c := range doc.Channels {
		ref := "#/channels/" + name
		if !actions[ref]["receive"] || !actions[ref]["send"] && name != "entitlements" { // the server fills the bucket
			t.Errorf("%s: its operations are %v", name, actions[ref])
		}
		for _, m := range c.Messages {
			used[strings.TrimPrefix(m.Ref, "#/components/messages/")] = true
		}
		for _, token := range strings.Split(c.Address, ".") {
			if parameter, ok := strings.CutPrefix(token, "{"); ok && c.Parameters[strings.TrimSuffix(parameter, "}")] == nil {
				t.Errorf("%s does not describe %s", name, token)
			}
		}
	}
	if diff := cmp.Diff(sortedKeys(doc.Components.Messages), sortedKeys(used)); diff != "" {
		t.Errorf("messages in channels (-all +used):\n%s", diff)
	}
}

// messageTypes are the event types that a channel carries.
func (doc asyncAPI) messageTypes(c channel) []string {
	var types []string
	for _, m := range c.Messages {
		types = append(types, doc.Components.Messages[strings.TrimPrefix(m.Ref, "#/components/messages/")].Name)
	}
	slices.Sort(types)
	return types
}

// subjects are what pkg/event builds for each type of event.
func subjects() map[string]string {
	license := event.LicenseSubject("contoso", "secure-share", "87d349ed-44d7-43e1-9a83-5f2406dee5bd")
	return map[string]string{
		event.TypeLicenseGranted:       license,
		event.TypeLicenseRevoked:       license,
		event.TypeLicenseReasonChanged: license,
		event.TypePolicyChanged:        event.PolicySubject("contoso", "secure-share"),
		event.TypeSettingsChanged:      event.PolicySubject("contoso", "secure-share"),
		event.TypeSeatsChanged:         event.SeatsSubject("contoso", "secure-share"),
		event.TypeSeatsExceeded:        event.SeatsSubject("contoso", "secure-share"),
		event.TypeSeatsWithin:          event.SeatsSubject("contoso", "secure-share"),
		event.TypeLineChanged:          event.SeatsSubject("contoso", "secure-share"),
		event.TypeUserActivated:        event.ActivationSubject("contoso", "secure-share"),
		event.TypeHeldOpened:           event.HeldSubject("contoso", "secure-share"),
		event.TypeHeldListed:           event.HeldSubject("contoso", "secure-share"),
		event.TypeHeldClosed:           event.HeldSubject("contoso", "secure-share"),
		event.TypeConnectionDegraded:   event.ConnectionSubject("contoso", "secure-share"),
		event.TypeConnectionRecovered:  event.ConnectionSubject("contoso", "secure-share"),
		event.TypeCredentialExpiring:   event.ConnectionSubject("contoso", "secure-share"),
		event.TypeCredentialReplaced:   event.ConnectionSubject("contoso", "secure-share"),
		event.TypeConnectionObserved:   event.DirectorySubject("contoso", "connection"),
		event.TypeNotificationReceived: event.NotificationSubject("contoso", "entra"),
		event.TypeDirectoryObserved:    event.DirectorySubject("contoso", "page"),
		event.TypeRoundEnded:           event.DirectorySubject("contoso", "round"),
		event.TypeSnapshotEnded:        event.DirectorySubject("contoso", "snapshot"),
		event.TypeCandidatesRead:       event.DirectorySubject("contoso", "candidates"),
		event.TypeRefreshRequested:     event.CommandSubject("contoso", "refresh"),
		event.TypeReadRequested:        event.CommandSubject("contoso", "read"),
		event.TypeRefreshCompleted:     event.CommandSubject("contoso", "refreshed"),
		event.TypeApproveRequested:     event.CommandSubject("contoso", event.VerbApprove),
		event.TypeRejectRequested:      event.CommandSubject("contoso", event.VerbReject),
		event.TypeSeatsRequested:       event.CommandSubject("contoso", event.VerbSeats),
		event.TypeSettingsRequested:    event.CommandSubject("contoso", event.VerbSettings),
		event.TypeDisconnectRequested:  event.CommandSubject("contoso", event.VerbDisconnect),
		event.TypeConnectRequested:     event.CommandSubject("contoso", event.VerbConnect),
		event.TypeEraseRequested:       event.CommandSubject("contoso", event.VerbErase),
		event.TypeActivationReported:   event.CommandSubject("contoso", event.VerbActivation),
		event.TypeAnswered:             event.CommandSubject("contoso", event.VerbAnswered),
		event.TypeDeadLetter:           event.DeadLetterSubject("LEDGER_IN", "contoso"),
	}
}
