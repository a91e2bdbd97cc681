package command

import (
	"fmt"
	"regexp"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

// VerbRefresh is the verb of RefreshRequested, which RefreshCompleted answers.
const VerbRefresh = "refresh"

// kind is what the data of a command makes of it.
type kind struct{ verb, eventType string }

func kindOf(data any) (kind, error) {
	var k kind
	var by string
	switch d := data.(type) {
	case event.ApproveRequested:
		k, by = kind{event.VerbApprove, event.TypeApproveRequested}, d.By
	case event.RejectRequested:
		k, by = kind{event.VerbReject, event.TypeRejectRequested}, d.By
	case event.SeatsRequested:
		k, by = kind{event.VerbSeats, event.TypeSeatsRequested}, d.By
	case event.SettingsRequested:
		k, by = kind{event.VerbSettings, event.TypeSettingsRequested}, d.By
	case event.DisconnectRequested:
		k, by = kind{event.VerbDisconnect, event.TypeDisconnectRequested}, d.By
	case event.ConnectRequested:
		k, by = kind{event.VerbConnect, event.TypeConnectRequested}, d.By
	case event.EraseRequested:
		k, by = kind{event.VerbErase, event.TypeEraseRequested}, d.By
	case event.ActivationReported:
		k, by = kind{event.VerbActivation, event.TypeActivationReported}, d.By
	case event.RefreshRequested:
		if !ValidAsker(d.RequestedBy) {
			return k, fmt.Errorf("%w: asked by %q: want a word of a-z, 0-9 and hyphen", ErrInvalid, d.RequestedBy)
		}
		if d.By != "" && !event.ValidActor(d.By) {
			return k, fmt.Errorf("%w: asked by %q: want an actor, and no address", ErrInvalid, d.By)
		}
		return kind{VerbRefresh, event.TypeRefreshRequested}, nil
	default:
		return k, fmt.Errorf("%w: %T", ErrInvalid, data)
	}
	if !event.ValidActor(by) {
		return k, fmt.Errorf("%w: asked by %q: want 1 to 64 letters, digits, dots, colons, hyphens and underscores, and no address", ErrInvalid, by)
	}
	return k, nil
}

// KeyForm says what an idempotency key may be, for people.
const KeyForm = "1 to 128 letters, digits, dots, colons, tildes, hyphens and underscores"

var key = regexp.MustCompile(`^[A-Za-z0-9._:~-]{1,128}$`)

// ValidKey reports whether s may be an idempotency key.
func ValidKey(s string) bool { return key.MatchString(s) }

// ValidAsker reports whether s may say who asked for a refresh: what may ask is fewer there.
func ValidAsker(s string) bool { return word.MatchString(s) }

var word = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)
