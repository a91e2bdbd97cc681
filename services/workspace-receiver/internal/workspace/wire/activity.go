package wire

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// ActivitiesFields is the fields parameter that Activities needs: no address of a machine among it.
const ActivitiesFields = envelope + "items(id,actor(email,profileId),events(name,parameters(name,value,multiValue)))"

// Activity is one entry of a journal: something that somebody did, with one or more events.
type Activity struct {
	Application string
	Customer    string    // "" where it is none
	Time        time.Time // zero where it is none
	Actor       string    // the actor's id or, where there is none, address
	Events      []Event
	sum         [sha256.Size]byte
}

// Event is one thing that happened, with its parameters that have a text.
type Event struct {
	Name       string
	parameters []parameter
}

// Values are the keys that the event's parameters with one of these names hold, in the order of the names: ids as they
// stand, addresses normalized.
func (e Event) Values(names ...string) []string {
	var all []string
	for _, name := range names {
		for _, p := range e.parameters {
			if p.Name != name {
				continue
			}
			for _, v := range append([]string{p.Value}, p.Values...) {
				if v = key(v); v != "" && !slices.Contains(all, v) {
					all = append(all, v)
				}
			}
		}
	}
	return all
}

func key(s string) string {
	if strings.Contains(s, "@") {
		return directory.Address(s)
	}
	return strings.TrimSpace(s)
}

type parameter struct {
	Name   string   `json:"name"`
	Value  string   `json:"value"`
	Values []string `json:"multiValue"`
}

// ID names the activity without telling what it holds: the same for a push of it as for its entry in a list.
func (a Activity) ID() string { return hex.EncodeToString(a.sum[:16]) }

// Key is what to remember an activity by: ID in 64 bits.
func (a Activity) Key() uint64 { return binary.BigEndian.Uint64(a.sum[:8]) }

// Activities reads a page of an application's activities. An event whose parameters cannot be read keeps its name.
func Activities(body []byte, application string) (list []Activity, next string, err error) {
	c, err := readCollection(body)
	if err != nil {
		return nil, "", err
	}
	list = make([]Activity, len(c.Items))
	for i, raw := range c.Items {
		list[i] = readActivity(raw, application)
	}
	return list, c.Next, nil
}

// readActivity reads one activity of an application, which is its own word where it has one. Whatever is odd in it leaves
// the rest: an event that counts for nothing is a change that is seen late.
func readActivity(raw json.RawMessage, application string) Activity {
	var in struct {
		ID struct {
			Time        string `json:"time"`
			Qualifier   digits `json:"uniqueQualifier"`
			Application string `json:"applicationName"`
			Customer    string `json:"customerId"`
		} `json:"id"`
		Actor struct {
			Email   string `json:"email"`
			Profile digits `json:"profileId"`
		} `json:"actor"`
		Events []json.RawMessage `json:"events"`
	}
	_, _ = decode(raw, &in) // what is no JSON at all has failed before
	a := Activity{Application: cmp.Or(in.ID.Application, application)}
	if ValidID(in.ID.Customer) {
		a.Customer = in.ID.Customer
	}
	if a.Actor = string(in.Actor.Profile); !ValidID(a.Actor) {
		a.Actor = directory.Address(in.Actor.Email)
	}
	at := in.ID.Time
	if t, err := time.Parse(time.RFC3339, at); err == nil {
		a.Time, at = t, t.UTC().Format(time.RFC3339Nano)
	}
	for _, raw := range in.Events {
		a.Events = append(a.Events, readEvent(raw))
	}
	name := []byte(a.Application + "\x00" + at + "\x00" + string(in.ID.Qualifier))
	if at == "" || in.ID.Qualifier == "" {
		name = raw // an activity without its name is known by all that it holds
	}
	a.sum = sha256.Sum256(name)
	return a
}

func readEvent(raw json.RawMessage) Event {
	var in struct {
		Name       string            `json:"name"`
		Parameters []json.RawMessage `json:"parameters"`
	}
	_, _ = decode(raw, &in)
	e := Event{Name: in.Name}
	for _, raw := range in.Parameters {
		var p parameter
		_, _ = decode(raw, &p)
		e.parameters = append(e.parameters, p)
	}
	return e
}
