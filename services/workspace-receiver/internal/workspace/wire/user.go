package wire

import (
	"cmp"
	"encoding/json"
	"errors"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// UserFields is the fields parameter that the reader of one user needs, UsersFields that of pages of them.
const (
	UserFields  = "id,primaryEmail,name(fullName,displayName),aliases,nonEditableAliases,suspended,archived,deletionTime,isGuestUser"
	UsersFields = envelope + "users(" + UserFields + ")"
)

// user is one user as Google sends it. Every user has both flags, so one without them is partial.
type user struct {
	ID      string `json:"id"`
	Primary string `json:"primaryEmail"`
	Name    struct {
		Full    string `json:"fullName"`
		Display string `json:"displayName"`
	} `json:"name"`
	Aliases     []string `json:"aliases"`
	NonEditable []string `json:"nonEditableAliases"`
	Suspended   *bool    `json:"suspended"`
	Archived    *bool    `json:"archived"`
	Deleted     string   `json:"deletionTime"`
	Guest       bool     `json:"isGuestUser"`
	Customer    string   `json:"customerId"`

	odd bool
}

// readUser reads one user; something that is none comes back without an id.
func readUser(raw json.RawMessage) user {
	var u user
	odd, err := decode(raw, &u)
	u.odd = odd || err != nil
	return u
}

// complete reports whether the user may be taken for what it is.
func (u user) complete() bool {
	return !u.odd && (u.Deleted != "" || u.Primary != "" && u.Suspended != nil && u.Archived != nil)
}

func (u user) directory() directory.User {
	if u.Deleted != "" {
		return directory.User{ID: u.ID, Status: directory.Deleted}
	}
	status := directory.Active
	switch {
	case *u.Archived:
		status = directory.Archived
	case *u.Suspended:
		status = directory.Suspended
	}
	return directory.User{
		ID: u.ID, Name: cmp.Or(u.Name.Full, u.Name.Display), Status: status, Guest: u.Guest,
		Addresses: addresses(u.Primary, u.Aliases, u.NonEditable),
	}
}

// Users reads a page of users.
func Users(body []byte) (Page, error) {
	return readPage(body, usersOf, func(p *Page, raw json.RawMessage) {
		u := readUser(raw)
		if !u.complete() {
			p.file(u.ID, false, directory.Observation{})
			return
		}
		seen := u.directory()
		p.file(u.ID, true, directory.Observation{User: &seen})
	})
}

// DeletedUsers reads a page of a list of deleted users and observes those that were deleted since then. A user without a
// time of deletion is passed over: Google ignores parameters that it does not understand, and would then send live ones.
func DeletedUsers(body []byte, since time.Time) (Page, error) {
	return readPage(body, usersOf, func(p *Page, raw json.RawMessage) {
		u := readUser(raw)
		at, err := time.Parse(time.RFC3339, u.Deleted)
		switch {
		case u.Deleted == "" && !u.odd:
		case err != nil || u.odd:
			p.file(u.ID, false, directory.Observation{})
		case !at.Before(since):
			p.file(u.ID, true, directory.Observation{User: &directory.User{ID: u.ID, Status: directory.Deleted}})
		}
	})
}

func usersOf(c collection) []json.RawMessage { return c.Users }

// User reads a single user. An error says what is missing.
func User(body []byte) (directory.User, error) {
	u := readUser(body)
	switch {
	case !ValidID(u.ID):
		return directory.User{}, errors.New("no id")
	case !u.complete():
		return directory.User{}, errors.New("primaryEmail, suspended or archived is missing, or a field is of a wrong kind")
	}
	return u.directory(), nil
}

// CustomerFields is the fields parameter that Customer needs.
const CustomerFields = envelope + "users(id,customerId)"

// Customer returns the customer id that the users of a page have, "" where it tells none.
func Customer(body []byte) (string, error) {
	c, err := readCollection(body)
	if err != nil {
		return "", err
	}
	for _, raw := range c.Users {
		if u := readUser(raw); ValidID(u.Customer) {
			return u.Customer, nil
		}
	}
	return "", nil
}
