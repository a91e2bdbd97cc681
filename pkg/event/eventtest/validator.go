// Package eventtest holds events to the contract in schemas/. It is for tests, and for verifiers that must trust nobody:
// it brings a JSON Schema implementation, which the packages that write events do without.
package eventtest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/schemas"
)

// Validator checks events against the envelope, against the schema of their type's data, and against the rules that tie
// the two together. It is safe for use by many goroutines.
type Validator struct {
	envelope *jsonschema.Schema
	data     map[string]*jsonschema.Schema // by event type
}

// NewValidator compiles the embedded schemas. An error is a fault of theirs.
func NewValidator() (*Validator, error) {
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	compiler.AssertContent()
	compiler.UseLoader(nowhere{})
	if err := addResources(compiler); err != nil {
		return nil, err
	}
	envelope, err := compiler.Compile(schemas.EnvelopeURI())
	if err != nil {
		return nil, fmt.Errorf("compile the envelope's schema: %w", err)
	}
	v := &Validator{envelope: envelope, data: map[string]*jsonschema.Schema{}}
	for _, eventType := range schemas.EventTypes() {
		if v.data[eventType], err = compiler.Compile(schemas.EventURI(eventType)); err != nil {
			return nil, fmt.Errorf("compile the schema of %s: %w", eventType, err)
		}
	}
	return v, nil
}

func addResources(compiler *jsonschema.Compiler) error {
	for _, dir := range []string{"events", "parts"} {
		files, err := fs.ReadDir(schemas.FS, dir)
		if err != nil {
			return fmt.Errorf("list schemas: %w", err)
		}
		for _, file := range files {
			name := path.Join(dir, file.Name())
			body, err := fs.ReadFile(schemas.FS, name)
			if err != nil {
				return fmt.Errorf("read schema: %w", err)
			}
			doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
			if err != nil {
				return fmt.Errorf("read schema %s: %w", name, err)
			}
			if err := compiler.AddResource(schemas.BaseURI+name, doc); err != nil {
				return fmt.Errorf("add schema %s: %w", name, err)
			}
		}
	}
	return nil
}

// nowhere keeps a reference that is not embedded from being looked for on disk.
type nowhere struct{}

func (nowhere) Load(url string) (any, error) { return nil, fmt.Errorf("%s is not embedded", url) }

// DataSchema returns the compiled schema of a type's data, nil when there is none.
func (v *Validator) DataSchema(eventType string) *jsonschema.Schema { return v.data[eventType] }

// EnvelopeSchema returns the compiled schema of the CloudEvents attributes.
func (v *Validator) EnvelopeSchema() *jsonschema.Schema { return v.envelope }

// Body checks an event in structured JSON, as it travels.
func (v *Validator) Body(body []byte) error {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("read event: %w", err)
	}
	if err := v.envelope.Validate(doc); err != nil {
		return fmt.Errorf("the envelope breaks the contract: %w", err)
	}
	ev, err := event.Decode(body)
	if err != nil {
		return fmt.Errorf("decode event: %w", err)
	}
	schema := v.data[ev.Type()]
	if schema == nil {
		return fmt.Errorf("the event type %q has no schema", ev.Type())
	}
	data, _ := doc.(map[string]any)["data"]
	if err := schema.Validate(data); err != nil {
		return fmt.Errorf("the data of %s %s breaks the contract: %w", ev.Type(), ev.ID(), err)
	}
	if err := consistent(ev); err != nil {
		return fmt.Errorf("%s %s contradicts itself: %w", ev.Type(), ev.ID(), err)
	}
	return nil
}

// Event checks an event as its writer would send it.
func (v *Validator) Event(ev event.Event) error {
	if ev.Context == nil {
		return errors.New("the event is empty")
	}
	body, err := event.Encode(ev)
	if err != nil {
		return err
	}
	return v.Body(body)
}
