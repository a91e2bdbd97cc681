package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

// what says in a few words what has changed.
func (i auditItem) what() string {
	switch i.Type {
	case event.TypePolicyChanged:
		return told(i, func(p event.PolicyChanged) string { return policyText(p.Mode, p.Group, "") })
	case event.TypeSettingsChanged:
		return told(i, settingsText)
	case event.TypeSeatsChanged:
		return told(i, func(s event.SeatsChanged) string {
			limit := ""
			if s.Enforce {
				limit = ", a limit"
			}
			return fmt.Sprintf("purchased: %s%s; used: %d", numberOr(s.Purchased, "not set"), limit, s.Used)
		})
	case event.TypeSeatsExceeded, event.TypeSeatsWithin:
		return told(i, func(s event.SeatsUse) string { return fmt.Sprintf("%d used of %d", s.Used, s.Purchased) })
	case event.TypeLineChanged:
		return told(i, func(l event.LineChanged) string {
			if l.Waiting {
				return fmt.Sprintf("%s waits, place %d", l.User, l.Place)
			}
			return fmt.Sprintf("%s waits no more, place %d", l.User, l.Place)
		})
	case event.TypeHeldOpened:
		return told(i, func(h event.HeldOpened) string {
			return fmt.Sprintf("%s: %d granted, %d revoked", h.Held, h.Grants, h.Revocations)
		})
	case event.TypeHeldListed:
		return told(i, func(h event.HeldListed) string {
			return fmt.Sprintf("%s: revision %d, %d users", h.Held, h.Revision, len(h.Users))
		})
	case event.TypeUserActivated:
		return told(i, func(a event.UserActivated) string {
			return a.User + ": first signed in at " + a.At.UTC().Format(time.DateTime) + by(a.By)
		})
	case event.TypeConnectionDegraded:
		return told(i, func(d event.Degraded) string { return d.Class + ": " + d.Action })
	case event.TypeConnectionRecovered:
		return told(i, func(c event.Recovered) string { return "from " + c.Class })
	case event.TypeCredentialExpiring:
		return told(i, func(c event.CredentialExpiring) string { return c.Detail + " " + c.Action })
	case event.TypeCredentialReplaced:
		return told(i, func(c event.CredentialReplaced) string {
			return "of that which ends on " + c.Was.UTC().Format(time.DateOnly)
		})
	case event.TypeHeldClosed:
		return told(i, func(h event.HeldClosed) string { return h.Held + ": " + h.Outcome + by(h.By) })
	}
	return reasonText(i.Reason, i.Path)
}

// told says what the data of a record says. What cannot be read is of a version to come.
func told[T any](i auditItem, say func(T) string) string {
	var data T
	if json.Unmarshal(i.Data, &data) != nil {
		return ""
	}
	return say(data)
}

func settingsText(s event.SettingsChanged) string {
	var words []string
	for _, w := range []struct {
		so   bool
		word string
	}{{!s.Connected, "disconnected"}, {s.Paused, "paused"}, {s.Frozen, "frozen"}} {
		if w.so {
			words = append(words, w.word)
		}
	}
	words = append(words, "flips: "+s.Hold.Flips)
	if s.Hold.Share == 0 {
		words = append(words, "revocations: never held")
	} else {
		words = append(words, fmt.Sprintf("revocations: held over %d %% and from %d", s.Hold.Share, s.Hold.Least))
	}
	expiry := time.Duration(s.Hold.ExpirySeconds) * time.Second
	return strings.Join(append(words, "expiry: "+expiry.String()), ", ") + by(s.By)
}
