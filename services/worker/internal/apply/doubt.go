package apply

import (
	"context"
	"fmt"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

// doubtsDue has the receiver read again what a read has shown as it may have been before it changed. By then, what a read
// shows is what holds. What cannot be read is asked for again.
func (s *session) doubtsDue(_ context.Context, part int) (bool, error) {
	due, found, err := s.tx.DueDoubts(part, s.now)
	if !found || err != nil {
		return false, err
	}
	if !due.Follows() { // nobody reads it, and when it is followed again everything is read
		return true, s.tx.DropDoubts(due.ID, "")
	}
	s.tenant = due
	id := fmt.Sprintf("%s.doubt.%d", due.Name, s.now.UnixMicro())
	asked, err := s.tx.AskDoubts(due.ID, s.now, askFor, id, s.cfg.AskAgain)
	if err != nil {
		return false, err
	}
	return true, s.command(event.TypeReadRequested, "read", id, "", readRequest(asked))
}

// doubtsRead takes the answer. What was read has come as observations before it.
func (s *session) doubtsRead(data event.CandidatesRead) error {
	if data.Unproven > 0 {
		return nil
	}
	return s.tx.DropDoubts(s.tenant.ID, data.Request)
}
