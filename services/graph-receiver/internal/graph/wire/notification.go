package wire

import (
	"errors"
	"fmt"
	"strings"
)

// Notification is one item of a change or lifecycle notification. Everything in it is a claim until ClientState is proved.
type Notification struct {
	TenantID       string
	SubscriptionID string
	ClientState    string
	Resource       string // "user", "group" or "" for anything else
	ID             string // of the resource, "" where none is named
	ChangeType     string // "updated", "deleted"; "" in lifecycle items
	LifecycleEvent string // "reauthorizationRequired", "subscriptionRemoved", "missed"
	Fault          error  // why the item cannot be used; the other fields hold what could be read
}

// maxItems bounds what one body can make us allocate; maxText what one field can carry into the bus.
const (
	maxItems = 10_000
	maxText  = 512
)

// Notifications reads a pushed body, {"value":[…]}. A broken item comes back with its Fault set. An error means that the
// body is not JSON, has no array "value", or has more than 10,000 items; it never quotes the body.
func Notifications(body []byte) ([]Notification, error) {
	s := &scanner{b: body}
	var items []Notification
	found := false
	err := s.object(func(key []byte) error {
		if string(key) != "value" {
			return s.skip()
		}
		found = true
		return s.array(func() error {
			if len(items) == maxItems {
				return fmt.Errorf("more than %d items", maxItems)
			}
			items = append(items, Notification{})
			if n := len(items); n > 1 {
				return s.notification(&items[n-1], &items[n-2])
			}
			return s.notification(&items[0], &Notification{})
		})
	})
	if err == nil {
		err = s.end()
	}
	if err != nil {
		return nil, fmt.Errorf("read notifications: %w", err)
	}
	if !found {
		return nil, errors.New(`read notifications: no "value"`)
	}
	return items, nil
}

// notificationFields are the item's fields as they stand in the body.
type notificationFields struct {
	tenant, subscription, state, resource, change, lifecycle string
	odataType, dataID                                        string
	wrong                                                    string // the first field of a wrong kind
}

// notification reads one item. Strings that repeat those of the item before it are shared with it.
func (s *scanner) notification(n, before *Notification) error {
	if s.next() != '{' {
		n.Fault = errors.New("not an object")
		return s.skip()
	}
	var f notificationFields
	f.tenant, f.subscription, f.state = before.TenantID, before.SubscriptionID, before.ClientState
	var seen [3]bool // a shared string counts only where the item has it
	err := s.object(func(key []byte) error {
		switch string(key) {
		case "tenantId":
			seen[0] = s.next() == '"'
			return s.field(key, &f.tenant, &f)
		case "subscriptionId":
			seen[1] = s.next() == '"'
			return s.field(key, &f.subscription, &f)
		case "clientState":
			seen[2] = s.next() == '"'
			return s.field(key, &f.state, &f)
		case "resource":
			return s.field(key, &f.resource, &f)
		case "changeType":
			return s.field(key, &f.change, &f)
		case "lifecycleEvent":
			return s.field(key, &f.lifecycle, &f)
		case "resourceData":
			return s.resourceData(&f)
		}
		return s.skip()
	})
	for i, shared := range []*string{&f.tenant, &f.subscription, &f.state} {
		if !seen[i] {
			*shared = ""
		}
	}
	f.fill(n)
	return err
}

// field reads a string field and notes one of another kind.
func (s *scanner) field(name []byte, dst *string, f *notificationFields) error {
	ok, err := s.text(dst)
	if !ok && f.wrong == "" {
		f.wrong = string(name)
	}
	return err
}

// resourceData reads what names the resource, for items whose "resource" does not. What it says of members is not read:
// a notification is a hint, and its members@delta may hold one id both as added and as removed.
func (s *scanner) resourceData(f *notificationFields) error {
	if s.next() != '{' {
		return s.skip()
	}
	return s.object(func(key []byte) error {
		var err error
		switch string(key) {
		case "@odata.type":
			_, err = s.text(&f.odataType)
		case "id":
			_, err = s.text(&f.dataID)
		default:
			err = s.skip()
		}
		return err
	})
}

func (f *notificationFields) fill(n *Notification) {
	n.TenantID, n.SubscriptionID, n.ClientState = f.tenant, f.subscription, f.state
	n.ChangeType, n.LifecycleEvent = f.change, f.lifecycle
	n.Resource, n.ID = resource(f.resource)
	if n.Resource == "" {
		n.Resource = kindWord(f.odataType)
	}
	if n.ID == "" {
		n.ID = f.dataID
	}
	n.Fault = f.fault(n)
}

func (f *notificationFields) fault(n *Notification) error {
	switch {
	case f.wrong != "":
		return fmt.Errorf("%s is not a string", f.wrong)
	case n.SubscriptionID == "":
		return errors.New("no subscriptionId")
	case n.ID != "" && !ValidID(n.ID):
		return errors.New("the id of the resource is no Entra id")
	case max(len(n.TenantID), len(n.SubscriptionID), len(n.ClientState), len(n.ChangeType), len(n.LifecycleEvent)) > maxText:
		return fmt.Errorf("a field is longer than %d bytes", maxText)
	}
	return nil
}

// resource reads "Users/<id>", "groups/<id>/members" and the like, in any case and with or without a leading slash.
func resource(path string) (kind, id string) {
	head, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch {
	case strings.EqualFold(head, "users"):
		kind = "user"
	case strings.EqualFold(head, "groups"):
		kind = "group"
	default:
		return "", ""
	}
	id, _, _ = strings.Cut(rest, "/")
	return kind, id
}

// kindWord turns "#Microsoft.Graph.User" or "#microsoft.graph.group" into "user" or "group", anything else into "".
func kindWord(odataType string) string {
	name := odataType[strings.LastIndexByte(odataType, '.')+1:]
	switch {
	case strings.EqualFold(name, "user"):
		return "user"
	case strings.EqualFold(name, "group"):
		return "group"
	}
	return ""
}
