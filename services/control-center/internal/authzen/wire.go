package authzen

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/problem"
)

// maxBody is more than the most questions at once need.
const maxBody = 256 << 10

// read reads the body of a request: an object of JSON. Fields that nobody knows are left alone, as the standard wants it.
func read(w http.ResponseWriter, r *http.Request) (fields, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, invalid("header:Content-Type", "want application/json")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			return nil, err
		}
		return nil, invalid("body:", "it broke off")
	}
	return parse(body)
}

func invalid(where, message string) *problem.Problem {
	p := problem.New(problem.InvalidRequest, "")
	p.Faults = []problem.Fault{{Where: where, Message: message}}
	return p
}

// fields are an object's. Names count as they are written, and no name counts twice: who asks and who answers must not
// understand a question differently.
type fields map[string]json.RawMessage

func parse(body []byte) (fields, error) {
	if !utf8.Valid(body) || !json.Valid(body) {
		return nil, invalid("body:", "it is not JSON")
	}
	return object("", body)
}

// object reads an object that is known to be JSON. What is null is as what is not there.
func object(where string, body []byte) (fields, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, invalid("body:"+where, "want an object")
	}
	all, seen := fields{}, map[string]bool{}
	for d.More() {
		token, err := d.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			return nil, invalid("body:"+where, "it is not JSON")
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, invalid("body:"+where, "it is not JSON")
		}
		if seen[name] {
			return nil, invalid("body:"+where, "a name is there twice")
		}
		seen[name] = true
		if !bytes.Equal(value, []byte("null")) {
			all[name] = value
		}
	}
	return all, nil
}

// entity is a subject or a resource.
type entity struct{ kind, id, tenant string }

// entity reads one that must be there; searched says that its id does not count.
func (f fields) entity(where, name string, searched bool) (e entity, err error) {
	where += "/" + name
	inside, err := f.object(where, name)
	if err != nil {
		return e, err
	}
	if e.kind, err = inside.text(where, "type", true); err != nil {
		return e, err
	}
	if e.id, err = inside.text(where, "id", !searched); err != nil && !searched {
		return e, err
	}
	if inside["properties"] == nil {
		return e, nil
	}
	properties, err := inside.object(where+"/properties", "properties")
	if err != nil {
		return e, err
	}
	e.tenant, err = properties.text(where+"/properties", "tenant", false)
	return e, err
}

// action reads the name of the action, which must be there.
func (f fields) action(where string) (string, error) {
	inside, err := f.object(where+"/action", "action")
	if err != nil {
		return "", err
	}
	if inside["properties"] != nil {
		if _, err := inside.object(where+"/action/properties", "properties"); err != nil {
			return "", err
		}
	}
	return inside.text(where+"/action", "name", true)
}

// counterpart reads whether the counterpart was licensed; nil: the context does not say.
func (f fields) counterpart(where string) (*bool, error) {
	if f["context"] == nil {
		return nil, nil //nolint:nilnil // it does not say
	}
	inside, err := f.object(where+"/context", "context")
	if err != nil || inside["counterpart"] == nil {
		return nil, err
	}
	counterpart, err := inside.object(where+"/context/counterpart", "counterpart")
	if err != nil || counterpart["licensed"] == nil {
		return nil, err
	}
	var licensed bool
	if json.Unmarshal(counterpart["licensed"], &licensed) != nil {
		return nil, invalid("body:"+where+"/context/counterpart/licensed", "want true or false")
	}
	return &licensed, nil
}

// object reads a field that must be there and be an object.
func (f fields) object(where, name string) (fields, error) {
	value, there := f[name]
	if !there {
		return nil, invalid("body:"+where, "it is missing")
	}
	return object(where, value)
}

// text reads a field that must be text, and not empty where it is needed.
func (f fields) text(where, name string, needed bool) (string, error) {
	value, there := f[name]
	var text string
	switch {
	case !there && needed:
		return "", invalid("body:"+where+"/"+name, "it is missing")
	case !there:
		return "", nil
	case json.Unmarshal(value, &text) != nil:
		return "", invalid("body:"+where+"/"+name, "want text")
	case text == "" && needed:
		return "", invalid("body:"+where+"/"+name, "it is empty")
	}
	return text, nil
}

// decision is what a question is answered with.
type decision struct {
	Decision bool `json:"decision"`
	Context  why  `json:"context"`
}

// why is why a decision is as it is.
type why struct {
	Reason   string    `json:"reason"`
	Sentence string    `json:"sentence,omitempty"`
	Licensed *bool     `json:"licensed,omitempty"` // whatever the action
	Since    time.Time `json:"since,omitzero"`
	AsOf     time.Time `json:"as_of,omitzero"`
	Tenant   string    `json:"tenant,omitempty"`
	Product  string    `json:"product,omitempty"`
	User     string    `json:"user,omitempty"` // the provider's id
	Error    *fault    `json:"error,omitempty"`
}

// fault is what is wrong with one of several questions.
type fault struct {
	Status  int    `json:"status"`
	Message string `json:"message"`
}

func write(w http.ResponseWriter, told any) error {
	body, err := json.Marshal(told)
	if err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(append(body, '\n')) // a client that has gone is told nothing
	return nil
}
