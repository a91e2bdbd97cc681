package apply

import (
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

// readCommand makes work of a command that somebody gave: by is who.
func readCommand[T any](ev event.Event, by func(T) string, apply func(*session, T) error) (work, error) {
	return readAs(ev, func(s *session, data T) error {
		if s.origin.by = by(data); !event.ValidActor(s.origin.by) {
			s.origin.by = ""
			return s.refuse(event.CodeBadRequest, "it does not say who asks, in 1 to 64 of A-Z, a-z, 0-9, '.', '_', ':' and '-'")
		}
		return apply(s, data)
	})
}

// answer tells what has become of the command in hand.
func (s *session) answer(a event.Answered) error {
	a.Command = s.origin.cause
	if a.Outcome == "" {
		a.Outcome = event.OutcomeDone
	}
	id := event.CommandID(s.tenant.Name, event.VerbAnswered, strings.TrimPrefix(a.Command, s.tenant.Name+"."))
	return s.command(event.TypeAnswered, event.VerbAnswered, id, a.Command, a)
}

func (s *session) refuse(code, message string) error {
	return s.answer(event.Answered{Outcome: event.OutcomeRefused, Code: code, Message: message})
}
