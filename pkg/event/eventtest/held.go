package eventtest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

// heldChange is what the events about held changes have in common, and what some of them add.
type heldChange struct {
	Tenant, Product, Held, Kind string
	Users                       []event.HeldUser
}

func (h heldChange) consistent() error {
	var err error
	if h.Kind != "" && !strings.HasPrefix(h.Held, h.Kind+"-") {
		err = fmt.Errorf("held is %q, of kind %q", h.Held, h.Kind)
	}
	return errors.Join(err, eachOnce(h.Users))
}

func eachOnce(users []event.HeldUser) error {
	seen := map[string]bool{}
	for _, u := range users {
		if seen[u.User] {
			return fmt.Errorf("user %s is there twice", u.User)
		}
		seen[u.User] = true
	}
	return nil
}

// counted checks that the type says what the figures do.
func counted(eventType string, s event.SeatsUse) error {
	if exceeded := s.Used > s.Purchased; exceeded != (eventType == event.TypeSeatsExceeded) {
		return fmt.Errorf("%d of %d seats are used", s.Used, s.Purchased)
	}
	return nil
}
