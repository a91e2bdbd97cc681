package wire

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// Page is what one page of a collection showed.
type Page struct {
	Observations []directory.Observation
	// SetAside are ids of objects that are incomplete or have a property of a wrong kind.
	SetAside []string
	// Nameless counts objects that are none, or without an id that is one: nothing can be done about them.
	Nameless int
	Next     string // the token of the next page; "" on the last
}

// file puts one object under what can be said of it.
func (p *Page) file(id string, complete bool, o directory.Observation) {
	switch {
	case !ValidID(id):
		p.Nameless++
	case !complete:
		p.SetAside = append(p.SetAside, id)
	default:
		p.Observations = append(p.Observations, o)
	}
}

// collection is a page of any list. Google leaves out a list that is empty, so one must tell by its kind or its etag that it
// is one: {} is the answer of nobody who was asked for members.
type collection struct {
	Kind  string            `json:"kind"`
	Etag  string            `json:"etag"`
	Next  string            `json:"nextPageToken"`
	Users []json.RawMessage `json:"users"`
	Group []json.RawMessage `json:"groups"`
	Links []json.RawMessage `json:"members"`
	Items []json.RawMessage `json:"items"`
}

// envelope is what the readers of pages need of each, for a fields parameter.
const envelope = "kind,etag,nextPageToken,"

func readCollection(body []byte) (collection, error) {
	var c collection
	odd, err := decode(body, &c)
	switch {
	case err != nil:
		return c, fmt.Errorf("read page: %w", err)
	case odd:
		return c, errors.New("read page: its list or its token is of a wrong kind")
	case c.Kind == "" && c.Etag == "" && c.Next == "" && len(c.Users)+len(c.Group)+len(c.Links)+len(c.Items) == 0:
		return c, errors.New("read page: it does not say what it is")
	}
	return c, nil
}

// readPage reads the objects that pick finds in a page, one by one.
func readPage(body []byte, pick func(collection) []json.RawMessage, one func(*Page, json.RawMessage)) (Page, error) {
	c, err := readCollection(body)
	if err != nil {
		return Page{}, err
	}
	p := Page{Next: c.Next}
	for _, raw := range pick(c) {
		one(&p, raw)
	}
	return p, nil
}
