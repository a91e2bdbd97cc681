package receivertest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

// cursor is where a feed stands: in the list of everything, or in the log of changes.
type cursor struct {
	Generation int
	Listing    bool
	At         int // index in the listing
	Log        int // index in the log: of the listing's begin, or of the next change
}

func (c cursor) String() string {
	return fmt.Sprintf("%d/%t/%d/%d", c.Generation, c.Listing, c.At, c.Log)
}

// Changes implements receiver.Directory.
func (d *Directory) Changes(ctx context.Context, feed receiver.Feed, text string) (receiver.Page, error) {
	call := Call{Method: "Changes", Feed: feed.Kind, ID: join(feed.Groups), Cursor: text}
	if err := d.request(ctx, call); err != nil {
		return receiver.Page{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	at := cursor{Generation: d.generation, Listing: true, Log: d.visible()}
	if text != "" {
		if _, err := fmt.Sscanf(text, "%d/%t/%d/%d", &at.Generation, &at.Listing, &at.At, &at.Log); err != nil {
			return receiver.Page{}, fmt.Errorf("no cursor: %q", text)
		}
	}
	if at.Generation != d.generation {
		return receiver.Page{}, receiver.ErrCursorExpired
	}
	var page receiver.Page
	switch {
	case d.Journals && feed.Kind == receiver.MembersFeed:
		return receiver.Page{}, fmt.Errorf("read a feed of members: %w", errors.ErrUnsupported)
	case at.Listing:
		page = d.list(feed, at)
	case d.Journals:
		if d.overlap[feed.Kind] {
			delete(d.overlap, feed.Kind)
			at.Log = 0
		}
		page = d.journal(feed, at)
	default:
		page = d.changed(feed, at)
	}
	if d.Edit != nil {
		d.Edit(call, &page)
	}
	return page, nil
}

// visible is how much of the log is shown.
func (d *Directory) visible() int {
	if d.holding {
		return d.held
	}
	return len(d.log)
}

func (d *Directory) list(feed receiver.Feed, at cursor) receiver.Page {
	var all []directory.Observation
	switch feed.Kind {
	case receiver.UsersFeed:
		for _, id := range slices.Sorted(maps.Keys(d.users)) {
			all = append(all, d.user(id))
		}
	case receiver.GroupsFeed:
		for _, id := range slices.Sorted(maps.Keys(d.groups)) {
			all = append(all, d.group(id))
		}
	default:
		for _, group := range feed.Groups {
			for _, id := range slices.Sorted(maps.Keys(d.members[group])) {
				all = append(all, d.membership(group, id, ""))
			}
		}
	}
	begin, end := min(at.At, len(all)), min(at.At+d.PageSize, len(all))
	page := receiver.Page{Observations: all[begin:end], More: end < len(all)}
	if at.At = end; !page.More {
		at = cursor{Generation: at.Generation, Log: at.Log}
	}
	page.Cursor = at.String()
	return page
}

func (d *Directory) changed(feed receiver.Feed, at cursor) receiver.Page {
	var page receiver.Page
	end := d.visible()
	for ; at.Log < end && len(page.Observations) < d.PageSize; at.Log++ {
		e := d.log[at.Log]
		switch {
		case e.kind != feed.Kind:
		case e.kind == receiver.UsersFeed:
			page.Observations = append(page.Observations, d.user(e.id))
		case e.kind == receiver.GroupsFeed:
			page.Observations = append(page.Observations, d.group(e.id))
		case slices.Contains(feed.Groups, e.id):
			page.Observations = append(page.Observations, d.membership(e.id, e.member, e.memberKind))
		}
	}
	page.More, page.Cursor = at.Log < end, at.String()
	return page
}
