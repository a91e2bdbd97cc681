// Package schemas is Rollcall's contract with everybody else: a JSON Schema (2020-12) for the data of each event type
// and for the envelope, valid and invalid examples of each, the AsyncAPI description of streams and subjects, and the OpenAPI
// description of the HTTP API.
package schemas

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// FS holds events/<type>.json, events/envelope.json, parts/*.json (what several of these refer to),
// examples/<type>/{valid,invalid}/*.json, asyncapi.yaml and openapi.yaml.
//
//go:embed asyncapi.yaml openapi.yaml events parts examples
var FS embed.FS

var (
	//go:embed asyncapi.yaml
	asyncAPI string
	//go:embed openapi.yaml
	openAPI string
)

// BaseURI is what the $id of every schema begins with; its path within FS follows.
const BaseURI = "https://rollcall.io/schemas/"

const envelope = "envelope"

// EventURI is the $id of the schema of a type's data, whether or not there is one.
func EventURI(eventType string) string { return BaseURI + "events/" + eventType + ".json" }

// EnvelopeURI is the $id of the schema of a whole event: the CloudEvents attributes that Rollcall promises.
func EnvelopeURI() string { return EventURI(envelope) }

// Event returns the schema of a type's data. The error wraps fs.ErrNotExist when there is no such type.
func Event(eventType string) ([]byte, error) {
	body, err := FS.ReadFile("events/" + eventType + ".json")
	if err != nil || eventType == envelope {
		return nil, fmt.Errorf("no schema of the event type %q: %w", eventType, fs.ErrNotExist)
	}
	return body, nil
}

// EventTypes lists the event types that have a schema, sorted.
func EventTypes() []string {
	var types []string
	for _, file := range list("events") {
		if t := strings.TrimSuffix(file, ".json"); t != envelope {
			types = append(types, t)
		}
	}
	slices.Sort(types)
	return types
}

// Example is one whole event in structured JSON, as it travels.
type Example struct {
	Name string // of its file: what it shows or, where it is invalid, what is wrong with it
	Body []byte
}

// Examples returns the events of a type that hold and those that break the contract in one thing, each sorted by name.
// Both are empty for a type that has no examples.
func Examples(eventType string) (valid, invalid []Example) {
	dir := path.Join("examples", eventType)
	return examples(path.Join(dir, "valid")), examples(path.Join(dir, "invalid"))
}

func examples(dir string) []Example {
	var all []Example
	for _, file := range list(dir) {
		body, err := FS.ReadFile(path.Join(dir, file))
		if err != nil {
			continue // a folder: none is embedded here
		}
		all = append(all, Example{Name: strings.TrimSuffix(file, ".json"), Body: body})
	}
	return all
}

// list returns the names in a folder of FS, none when there is no such folder.
func list(dir string) []string {
	entries, err := fs.ReadDir(FS, dir)
	if err != nil {
		return nil
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names
}

// AsyncAPI returns the AsyncAPI 3.0 document of streams, subjects and messages, in YAML.
func AsyncAPI() string { return asyncAPI }

// OpenAPI returns the OpenAPI 3.1 document of the Control Center's HTTP API, in YAML.
func OpenAPI() string { return openAPI }
