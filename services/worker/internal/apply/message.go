package apply

import (
	"errors"
	"fmt"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// work is what a message asks for.
type work func(*session) error

// read makes work of an event. Without work the message as a whole is refused; with work and an error, a part of it is.
// Types that the worker does not know, or that are for others, are work that does nothing.
func read(ev event.Event) (work, error) {
	switch ev.Type() {
	case event.TypeDirectoryObserved:
		return readPage(ev)
	case event.TypeSnapshotEnded:
		return readAs(ev, (*session).snapshotEnded)
	case event.TypeCandidatesRead:
		return readAs(ev, (*session).candidatesRead)
	case event.TypeRoundEnded:
		return readAs(ev, (*session).roundEnded)
	case event.TypeConnectionObserved:
		return readConnection(ev)
	case event.TypeRefreshRequested:
		return readAs(ev, (*session).refreshRequested)
	case event.TypeApproveRequested:
		return readCommand(ev, func(d event.ApproveRequested) string { return d.By }, (*session).approveRequested)
	case event.TypeRejectRequested:
		return readCommand(ev, func(d event.RejectRequested) string { return d.By }, (*session).rejectRequested)
	case event.TypeSeatsRequested:
		return readCommand(ev, func(d event.SeatsRequested) string { return d.By }, (*session).seatsRequested)
	case event.TypeSettingsRequested:
		return readCommand(ev, func(d event.SettingsRequested) string { return d.By }, (*session).settingsRequested)
	case event.TypeDisconnectRequested:
		return readCommand(ev, func(d event.DisconnectRequested) string { return d.By }, (*session).disconnectRequested)
	case event.TypeConnectRequested:
		return readCommand(ev, func(d event.ConnectRequested) string { return d.By }, (*session).connectRequested)
	case event.TypeEraseRequested:
		return readCommand(ev, func(d event.EraseRequested) string { return d.By }, (*session).eraseRequested)
	case event.TypeActivationReported:
		return readCommand(ev, func(d event.ActivationReported) string { return d.By }, (*session).activationReported)
	default:
		return func(*session) error { return nil }, nil
	}
}

func readAs[T any](ev event.Event, apply func(*session, T) error) (work, error) {
	data, err := event.Data[T](ev)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return func(s *session) error { return apply(s, data) }, nil
}

// page is one page of observations, as far as they can be used.
type page struct {
	stamp        directory.Stamp
	snapshot     string
	told         ledger.Told // by the feed that states it; nothing: a read showed it
	observations []directory.Observation
	refused      int
}

// readPage sets aside observations that cannot be used: one object's trouble must not stop the others.
func readPage(ev event.Event) (work, error) {
	data, err := event.Data[event.DirectoryObserved](ev)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	p := page{stamp: data.Stamp.Directory(), snapshot: data.Snapshot, told: ledger.Told{Since: data.FeedSince, Until: data.FeedUntil}}
	if p.stamp == (directory.Stamp{}) {
		return nil, fmt.Errorf("%w: page %s has no stamp", ErrRefused, ev.ID())
	}
	var faults []error
	for i, wire := range data.Observations {
		o, err := wire.Directory()
		if err != nil {
			faults = append(faults, fmt.Errorf("observation %d: %w", i, err))
			continue
		}
		p.observations = append(p.observations, o)
	}
	if p.refused = len(faults); p.refused > 0 {
		err = fmt.Errorf("%w: %d of %d observations, %w: %w",
			ErrRefused, p.refused, len(data.Observations), ErrPartly, errors.Join(faults...))
	}
	return func(s *session) error { return s.page(p) }, err
}
