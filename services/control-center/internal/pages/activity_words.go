package pages

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

// told says what the data of a record says. What cannot be read is of a version to come.
func told[T any](data json.RawMessage, say func(T) string) string {
	var read T
	if json.Unmarshal(data, &read) != nil {
		return ""
	}
	return say(read)
}

// by says who asked, where somebody did.
func by(whom string) string {
	if whom == "" {
		return ""
	}
	return ", by " + whom
}

// recordBadge says in a word what an event is.
func recordBadge(eventType string) badge {
	b, known := map[string]badge{
		event.TypeLicenseGranted:       {"good", "check", "Granted"},
		event.TypeLicenseRevoked:       {"bad", "minus", "Revoked"},
		event.TypeLicenseReasonChanged: {"plain", "dot", "Reason changed"},
		event.TypePolicyChanged:        {"info", "people", "Mode changed"},
		event.TypeSettingsChanged:      {"info", "sliders", "Settings changed"},
		event.TypeSeatsChanged:         {"info", "sliders", "Seats changed"},
		event.TypeSeatsExceeded:        {"warn", "warn", "Seats exceeded"},
		event.TypeSeatsWithin:          {"good", "check", "Seats suffice"},
		event.TypeLineChanged:          {"plain", "clock", "Waiting line"},
		event.TypeUserActivated:        {"good", "check", "Signed in"},
		event.TypeHeldOpened:           {"warn", "inbox", "Change held"},
		event.TypeHeldListed:           {"plain", "inbox", "List changed"},
		event.TypeHeldClosed:           {"info", "inbox", "Held change closed"},
		event.TypeConnectionDegraded:   {"bad", "stop", "Degraded"},
		event.TypeConnectionRecovered:  {"good", "check", "Recovered"},
		event.TypeCredentialExpiring:   {"warn", "clock", "Credential ends"},
		event.TypeCredentialReplaced:   {"good", "check", "Credential replaced"},
	}[eventType]
	if !known {
		return badge{"plain", "dot", typeWord(eventType)}
	}
	return b
}

// recordSays tells an event that is no license event in a sentence.
func recordSays(eventType string, data json.RawMessage) string {
	switch eventType {
	case event.TypePolicyChanged:
		return told(data, func(p event.PolicyChanged) string {
			if p.Group == "" {
				return "Every active user is licensed."
			}
			return "The members of the provisioning group are licensed."
		})
	case event.TypeSettingsChanged:
		return told(data, settingsSay)
	case event.TypeSeatsChanged, event.TypeSeatsExceeded, event.TypeSeatsWithin, event.TypeLineChanged:
		return seatsSay(eventType, data)
	case event.TypeUserActivated:
		return told(data, func(a event.UserActivated) string {
			return "The user first signed in on " + a.At.UTC().Format("2 January 2006, 15:04 MST") + by(a.By) + "."
		})
	case event.TypeHeldOpened:
		return told(data, func(h event.HeldOpened) string {
			return fmt.Sprintf("%s would be granted and %s revoked.", count(h.Grants, "license", "licenses"), number(h.Revocations))
		})
	case event.TypeHeldListed: // whose data is too long to come with others
		return "The list of a held change has become another one."
	case event.TypeHeldClosed:
		return told(data, func(h event.HeldClosed) string { return sentence(h.Held + " was " + h.Outcome + by(h.By)) })
	case event.TypeConnectionDegraded:
		return told(data, func(d event.Degraded) string { return sentence(d.Class + ": " + d.Action) })
	case event.TypeConnectionRecovered:
		return told(data, func(c event.Recovered) string {
			return "The directory is followed again as it should be (it was: " + c.Class + ")."
		})
	case event.TypeCredentialExpiring:
		return told(data, func(c event.CredentialExpiring) string { return sentence(c.Detail) + " " + sentence(c.Action) })
	case event.TypeCredentialReplaced:
		return told(data, func(c event.CredentialReplaced) string {
			return "Another one is in the place of that which ends on " + c.Was.UTC().Format("2 January 2006") + "."
		})
	}
	return ""
}

func seatsSay(eventType string, data json.RawMessage) string {
	switch eventType {
	case event.TypeSeatsChanged:
		return told(data, func(s event.SeatsChanged) string {
			purchased := "not known"
			if s.Purchased != nil {
				purchased = number(*s.Purchased)
			}
			limit := ""
			if s.Enforce {
				limit = ", a limit"
			}
			return fmt.Sprintf("Purchased: %s%s; in use: %s%s.", purchased, limit, number(s.Used), by(s.By))
		})
	case event.TypeLineChanged:
		return told(data, func(l event.LineChanged) string {
			if l.Waiting {
				return fmt.Sprintf("The user waits for a seat, at place %d.", l.Place)
			}
			return fmt.Sprintf("The user waits no more; the place was %d.", l.Place)
		})
	}
	return told(data, func(s event.SeatsUse) string {
		return fmt.Sprintf("%s in use of %s.", number(s.Used), number(s.Purchased))
	})
}

func settingsSay(s event.SettingsChanged) string {
	var words []string
	for _, w := range []struct {
		so   bool
		word string
	}{{!s.Connected, "disconnected"}, {s.Paused, "paused"}, {s.Frozen, "frozen"}} {
		if w.so {
			words = append(words, w.word)
		}
	}
	words = append(words, map[string]string{event.FlipsHold: "flips are held", event.FlipsApply: "flips take effect"}[s.Hold.Flips])
	if s.Hold.Share == 0 {
		words = append(words, "revocations are never held")
	} else {
		words = append(words, fmt.Sprintf("revocations are held over %d %% and from %d", s.Hold.Share, s.Hold.Least))
	}
	return sentence(strings.Join(words, ", ") + fmt.Sprintf(", for %s", time.Duration(s.Hold.ExpirySeconds)*time.Second) + by(s.By))
}
