package engine_test

import (
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

// A refresh whose outcome is only to be shown is read like any other: all that its pages bring is told, as its snapshot.
func TestPreviewedRefreshIsReadLikeAnyOther(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.tenant("contoso")
	b.run()
	b.connected("contoso")
	command, err := event.New(event.TypeRefreshRequested, event.Meta{
		ID: "refresh-1", Source: event.CommandSource("contoso"), Time: time.Now(), Tenant: "contoso",
	}, map[string]any{"requested_by": "cli", "preview": true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.bus.Publish(t.Context(), event.CommandSubject("contoso", "refresh"), command); err != nil {
		t.Fatal(err)
	}
	page := b.find("page of the command", func(ev event.Event) bool {
		return ev.Type() == event.TypeDirectoryObserved && event.Cause(ev) == "refresh-1"
	})
	ended := b.find("snapshot of the command", func(ev event.Event) bool {
		return ev.Type() == event.TypeSnapshotEnded && event.Cause(ev) == "refresh-1"
	})
	seen, err := event.Data[event.DirectoryObserved](page)
	if err != nil || seen.Snapshot != "refresh-1" {
		t.Errorf("its page is of snapshot %q, %v", seen.Snapshot, err)
	}
	if data, err := event.Data[event.SnapshotEnded](ended); err != nil || data.Snapshot != "refresh-1" {
		t.Errorf("its snapshot is %q, %v", data.Snapshot, err)
	}
}
