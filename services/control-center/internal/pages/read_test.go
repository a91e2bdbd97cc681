package pages_test

import (
	"context"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
)

// answerRead plays a receiver that reads whom it is asked about.
func (w *world) answerRead(ctx context.Context, id string) error {
	return w.bus.Read(ctx, bus.ReadSpec{Stream: bus.LedgerIn, Filters: []string{"command.*." + id + ".read"}, Follow: true}, func(m bus.Message) error {
		asked, err := event.Data[event.ReadRequested](m.Event)
		if err != nil || len(asked.Users) != 1 || asked.Users[0] != "ann" {
			return err
		}
		w.tell(event.TypeCandidatesRead, event.DirectorySubject(id, "candidates"), id, m.Event.ID()+".read", m.Event.ID(), event.CandidatesRead{Request: m.Event.ID()})
		return nil
	})
}
