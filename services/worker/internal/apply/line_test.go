package apply_test

import (
	"fmt"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

// line is an event in a few words.
func line(t fataler, ev event.Event) string {
	t.Helper()
	words := map[string]func(fataler, event.Event) string{
		event.TypePolicyChanged:        wordsOfPolicy,
		event.TypeReadRequested:        wordsOfRead,
		event.TypeRefreshCompleted:     wordsOfRefresh,
		event.TypeRefreshRequested:     func(fataler, event.Event) string { return "refresh" },
		event.TypeLicenseGranted:       wordsOfLicense("granted"),
		event.TypeLicenseRevoked:       wordsOfLicense("revoked"),
		event.TypeLicenseReasonChanged: wordsOfLicense("reason"),
		event.TypeHeldOpened:           wordsOfOpened,
		event.TypeHeldListed:           wordsOfListed,
		event.TypeHeldClosed:           wordsOfClosed,
		event.TypeSeatsChanged:         wordsOfSeats,
		event.TypeSeatsExceeded:        wordsOfUse("exceeded"),
		event.TypeSeatsWithin:          wordsOfUse("within"),
		event.TypeLineChanged:          wordsOfLine,
		event.TypeUserActivated: func(t fataler, ev event.Event) string {
			return "activated " + dataOf[event.UserActivated](t, ev).User
		},
		event.TypeSettingsChanged:    wordsOfSettings,
		event.TypeAnswered:           wordsOfAnswer,
		event.TypeConnectionDegraded: wordsOfDegraded,
		event.TypeConnectionRecovered: func(t fataler, ev event.Event) string {
			return "recovered " + dataOf[event.Recovered](t, ev).Class
		},
		event.TypeCredentialExpiring: wordsOfExpiring,
		event.TypeCredentialReplaced: wordsOfReplaced,
	}[ev.Type()]
	if words == nil {
		t.Fatalf("no words for %s", ev.Type())
	}
	return strings.TrimSpace(words(t, ev))
}

func dataOf[T any](t fataler, ev event.Event) T {
	t.Helper()
	data, err := event.Data[T](ev)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func wordsOfPolicy(t fataler, ev event.Event) string {
	p := dataOf[event.PolicyChanged](t, ev)
	return fmt.Sprintf("policy %s %s", p.Mode, p.Group)
}

func wordsOfRead(t fataler, ev event.Event) string {
	r := dataOf[event.ReadRequested](t, ev)
	return fmt.Sprintf("read users=%v groups=%v members=%d", r.Users, r.Groups, len(r.Members))
}

func wordsOfRefresh(t fataler, ev event.Event) string {
	r := dataOf[event.RefreshCompleted](t, ev)
	words := fmt.Sprintf("refreshed users=%d groups=%d granted=%d revoked=%d removed=%d unproven=%d %s",
		r.Users, r.Groups, r.Granted, r.Revoked, r.Removed, r.Unproven, r.Error)
	for _, h := range r.Holds {
		words = fmt.Sprintf("%s %s r%d +%d -%d", strings.TrimSpace(words), h.Held, h.Revision, h.Grants, h.Revocations)
	}
	return words
}

func wordsOfLicense(word string) func(fataler, event.Event) string {
	return func(t fataler, ev event.Event) string {
		e := dataOf[event.Entitlement](t, ev)
		if len(e.Path) > 1 {
			return fmt.Sprintf("%s %s %s %v", word, e.User, e.Reason, e.Path)
		}
		return fmt.Sprintf("%s %s %s", word, e.User, e.Reason)
	}
}

func wordsOfOpened(t fataler, ev event.Event) string {
	o := dataOf[event.HeldOpened](t, ev)
	return fmt.Sprintf("opened %s r%d +%d -%d of %d %s %s", o.Held, o.Revision, o.Grants, o.Revocations, o.Licensed, o.Mode, o.Group)
}

func wordsOfListed(t fataler, ev event.Event) string {
	l := dataOf[event.HeldListed](t, ev)
	return fmt.Sprintf("listed %s r%d %s", l.Held, l.Revision, wordsOfList(l.Users))
}

func wordsOfList(users []event.HeldUser) string {
	words := make([]string, len(users))
	for i, u := range users {
		switch {
		case !u.Listed:
			words[i] = u.User + ":off"
		case u.Licensed:
			words[i] = u.User + ":+" + u.Reason
		default:
			words[i] = u.User + ":-" + u.Reason
		}
	}
	return strings.Join(words, " ")
}

func wordsOfClosed(t fataler, ev event.Event) string {
	c := dataOf[event.HeldClosed](t, ev)
	return fmt.Sprintf("closed %s r%d %s +%d -%d %s", c.Held, c.Revision, c.Outcome, c.Grants, c.Revocations, c.By)
}

func wordsOfSeats(t fataler, ev event.Event) string {
	s := dataOf[event.SeatsChanged](t, ev)
	purchased := "unset"
	if s.Purchased != nil {
		purchased = fmt.Sprint(*s.Purchased)
	}
	return fmt.Sprintf("seats %s enforce=%v used=%d", purchased, s.Enforce, s.Used)
}

func wordsOfUse(word string) func(fataler, event.Event) string {
	return func(t fataler, ev event.Event) string {
		s := dataOf[event.SeatsUse](t, ev)
		return fmt.Sprintf("%s %d/%d", word, s.Used, s.Purchased)
	}
}

func wordsOfLine(t fataler, ev event.Event) string {
	l := dataOf[event.LineChanged](t, ev)
	word := "leaves"
	if l.Waiting {
		word = "joins"
	}
	return fmt.Sprintf("%s %s the line at %d", l.User, word, l.Place)
}

func wordsOfSettings(t fataler, ev event.Event) string {
	s := dataOf[event.SettingsChanged](t, ev)
	return fmt.Sprintf("settings paused=%v frozen=%v connected=%v %s %d%% %d %ds",
		s.Paused, s.Frozen, s.Connected, s.Hold.Flips, s.Hold.Share, s.Hold.Least, s.Hold.ExpirySeconds)
}

func wordsOfDegraded(t fataler, ev event.Event) string {
	d := dataOf[event.Degraded](t, ev)
	return strings.Join(strings.Fields(fmt.Sprintf("degraded %s %s %s", d.Class, d.Check, d.Action)), " ")
}

func wordsOfAnswer(t fataler, ev event.Event) string {
	a := dataOf[event.Answered](t, ev)
	words := strings.TrimSpace(fmt.Sprintf("%s %s %s", a.Outcome, a.Code, a.Held))
	if a.Revision > 0 {
		words = fmt.Sprintf("%s r%d", words, a.Revision)
	}
	return strings.ReplaceAll(fmt.Sprintf("%s %s", words, wordsOfList(a.Changes)), "  ", " ")
}
