package notice

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/license"
)

// Types are those of the events that are sent on.
var Types = []string{
	event.TypeHeldOpened, event.TypeHeldClosed, event.TypeSeatsExceeded, event.TypeSeatsWithin,
	event.TypeConnectionDegraded, event.TypeConnectionRecovered, event.TypeCredentialExpiring, event.TypeCredentialReplaced,
}

// TypeTest is the type of a notice that somebody asks for to see whether it arrives.
const TypeTest = "io.rollcall.notice.test.v1"

// Notice is what is sent: of an event on LICENSES, or of a test.
type Notice struct {
	ID      string // of the event: the same notice, sent twice, has the same
	Type    string
	Tenant  string
	Time    time.Time
	Subject string // one line for people
	Text    string // what has happened and what to do, for people
	Data    json.RawMessage
}

// of makes the notice of an event. False: nobody is told of it.
func of(e license.Event, center string) (Notice, bool, error) {
	var whole struct {
		Data json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(e.Raw, &whole); err != nil {
		return Notice{}, false, fmt.Errorf("read event %s: %w", e.ID, err)
	}
	n := Notice{ID: e.ID, Type: e.Type, Tenant: e.Tenant, Time: e.Time, Data: whole.Data}
	var err error
	n.Subject, n.Text, err = words(e.Type, whole.Data)
	if errors.Is(err, errSilent) {
		return n, false, nil
	}
	if err != nil {
		return n, false, fmt.Errorf("read event %s: %w", e.ID, err)
	}
	n.Text += "\n\n" + strings.TrimSuffix(center, "/") + "/tenants/" + e.Tenant + "\n"
	return n, true, nil
}

var errSilent = errors.New("nobody is told of it")

// words say for people what an event means, and what to do.
func words(eventType string, data []byte) (subject, text string, err error) {
	switch eventType {
	case event.TypeHeldOpened:
		return with(data, func(h event.HeldOpened) (string, string) {
			expires := ""
			if !h.Expires.IsZero() {
				expires = fmt.Sprintf(" Without a word by %s it counts as rejected.", minute(h.Expires))
			}
			return fmt.Sprintf("%s: a change of %s is held and waits for you", h.Tenant, h.Product),
				fmt.Sprintf("%s of %s would grant %d and revoke %d of %d licenses. It has not taken effect: approve or reject it.%s", h.Held, h.Product, h.Grants, h.Revocations, h.Licensed, expires)
		})
	case event.TypeHeldClosed:
		return with(data, func(h event.HeldClosed) (string, string) {
			by := ""
			if h.By != "" {
				by = " by " + h.By
			}
			return fmt.Sprintf("%s: the held change of %s was %s", h.Tenant, h.Product, h.Outcome),
				fmt.Sprintf("%s of %s, with %d grants and %d revocations, was %s%s.", h.Held, h.Product, h.Grants, h.Revocations, h.Outcome, by)
		})
	case event.TypeSeatsExceeded:
		return with(data, func(s event.SeatsUse) (string, string) {
			return fmt.Sprintf("%s: more seats of %s are used than were purchased", s.Tenant, s.Product),
				fmt.Sprintf("%d licenses of %s are in use, %d were purchased.", s.Used, s.Product, s.Purchased)
		})
	case event.TypeSeatsWithin:
		return with(data, func(s event.SeatsUse) (string, string) {
			return fmt.Sprintf("%s: the seats of %s suffice again", s.Tenant, s.Product),
				fmt.Sprintf("%d licenses of %s are in use, %d were purchased.", s.Used, s.Product, s.Purchased)
		})
	case event.TypeConnectionDegraded:
		return with(data, func(d event.Degraded) (string, string) {
			return d.Tenant + ": the directory is not followed as it should be",
				fmt.Sprintf("%s\nLicenses stand as they are. It has been so since %s.\nWhat to do: %s", d.Detail, minute(d.Since), d.Action)
		})
	case event.TypeConnectionRecovered:
		return with(data, func(r event.Recovered) (string, string) {
			return r.Tenant + ": the directory is followed again", "What had kept it from being followed (" + r.Class + ") is over."
		})
	case event.TypeCredentialExpiring, event.TypeCredentialReplaced:
		return wordsOfCredential(eventType, data)
	}
	return "", "", errSilent
}

func wordsOfCredential(eventType string, data []byte) (subject, text string, err error) {
	if eventType == event.TypeCredentialReplaced {
		return with(data, func(r event.CredentialReplaced) (string, string) {
			ends := "When it ends is not known."
			if !r.Expires.IsZero() {
				ends = "It ends at " + minute(r.Expires) + "."
			}
			return r.Tenant + ": the credential for the directory was replaced", "In place of the one that ends at " + minute(r.Was) + " there is another. " + ends
		})
	}
	return with(data, func(e event.CredentialExpiring) (string, string) {
		return fmt.Sprintf("%s: the credential for the directory ends on %s", e.Tenant, e.Expires.UTC().Format("2006-01-02")),
			fmt.Sprintf("%s\nUntil then nothing is amiss. From then on the directory cannot be read, and licenses stand as they are.\nWhat to do: %s", e.Detail, e.Action)
	})
}

func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }

func with[T any](data []byte, say func(T) (subject, text string)) (subject, text string, err error) {
	var d T
	if err := json.Unmarshal(data, &d); err != nil {
		return "", "", err
	}
	subject, text = say(d)
	return subject, text, nil
}
