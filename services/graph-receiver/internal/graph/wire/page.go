package wire

import (
	"errors"
	"fmt"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// Page is what one page of a collection or a delta query showed.
type Page struct {
	Observations []directory.Observation
	// Unclear are memberships that the page states in two ways or without their kind. Kind and ID are "" where they are not
	// told.
	Unclear []directory.Membership
	// SetAside are ids of objects that are incomplete or have a property of a wrong kind.
	SetAside []string
	// Nameless counts objects that are not objects, or without an id that is one: nothing can be done about them.
	Nameless int
	Next     string // @odata.nextLink: the round goes on there
	Delta    string // @odata.deltaLink: the next round begins there
}

// Users reads a page of users, of a delta query or a plain list.
func Users(body []byte) (Page, error) {
	return readPage(body, func(s *scanner, p *Page) error {
		u, err := s.userFields()
		if err != nil {
			return err
		}
		p.add(u.id, u.complete(), func() directory.Observation {
			user := u.user()
			return directory.Observation{User: &user}
		})
		return nil
	})
}

// Groups reads a page of groups, of a delta query or a plain list.
func Groups(body []byte) (Page, error) {
	return readPage(body, func(s *scanner, p *Page) error {
		g, err := s.groupFields()
		if err != nil {
			return err
		}
		p.add(g.id, g.complete(), func() directory.Observation {
			group := g.group()
			return directory.Observation{Group: &group}
		})
		return nil
	})
}

// User reads a single user. An error says what is missing; a user that hides whether it may sign in is one.
func User(body []byte) (directory.User, error) {
	s := &scanner{b: body}
	u, err := s.userFields()
	if err == nil {
		err = s.end()
	}
	switch {
	case err != nil:
		return directory.User{}, err
	case !ValidID(u.id):
		return directory.User{}, errors.New("no id")
	case !u.complete():
		return directory.User{}, errors.New("accountEnabled or userPrincipalName is missing or of a wrong kind")
	}
	return u.user(), nil
}

// Group reads a single group.
func Group(body []byte) (directory.Group, error) {
	s := &scanner{b: body}
	g, err := s.groupFields()
	if err == nil {
		err = s.end()
	}
	switch {
	case err != nil:
		return directory.Group{}, err
	case !ValidID(g.id):
		return directory.Group{}, errors.New("no id")
	case !g.complete():
		return directory.Group{}, errors.New("mailEnabled or securityEnabled is missing or of a wrong kind")
	}
	return g.group(), nil
}

// add files one object under what can be said of it.
func (p *Page) add(id string, complete bool, observe func() directory.Observation) {
	switch {
	case !ValidID(id):
		p.Nameless++
	case !complete:
		p.SetAside = append(p.SetAside, id)
	default:
		p.Observations = append(p.Observations, observe())
	}
}

// readPage walks {"value":[…],"@odata.nextLink":…}, calling one with the scanner before each element.
func readPage(body []byte, one func(*scanner, *Page) error) (Page, error) {
	var p Page
	s := &scanner{b: body}
	found, links := false, true
	err := s.object(func(key []byte) error {
		var ok bool
		var err error
		switch string(key) {
		case "value":
			found = true
			return s.array(func() error { return one(s, &p) })
		case "@odata.nextLink":
			ok, err = s.text(&p.Next)
			links = links && ok
		case "@odata.deltaLink":
			ok, err = s.text(&p.Delta)
			links = links && ok
		default:
			err = s.skip()
		}
		return err
	})
	if err == nil {
		err = s.end()
	}
	switch {
	case err != nil:
		return Page{}, fmt.Errorf("read page: %w", err)
	case !found:
		return Page{}, errors.New(`read page: no "value"`)
	case !links:
		return Page{}, errors.New("read page: a link is not a string")
	}
	return p, nil
}
