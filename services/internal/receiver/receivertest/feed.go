package receivertest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

// cursor is where a feed stands: in the list of everything, or in the log of changes.
type cursor struct {
	Generation int
	Listing    bool
	Log        int    // index in the log: of the listing's begin, or of the next change
	After      string // what the listing has shown last
}

func (c cursor) String() string {
	return fmt.Sprintf("%d/%t/%d/%s", c.Generation, c.Listing, c.Log, c.After)
}

func openCursor(text string) (c cursor, err error) {
	parts := strings.SplitN(text, "/", 4)
	if len(parts) != 4 {
		return c, fmt.Errorf("no cursor: %q", text)
	}
	c.Listing, c.After = parts[1] == "true", parts[3]
	if c.Generation, err = strconv.Atoi(parts[0]); err == nil {
		c.Log, err = strconv.Atoi(parts[2])
	}
	return c, err
}

// Changes implements receiver.Directory.
func (d *Directory) Changes(ctx context.Context, feed receiver.Feed, text string) (receiver.Page, error) {
	call := Call{Method: "Changes", Feed: feed.Kind, ID: joined(feed.Groups), Cursor: text}
	if err := d.request(ctx, call); err != nil {
		return receiver.Page{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	at := cursor{Generation: d.generation, Listing: true, Log: d.visible()}
	if text != "" {
		var err error
		if at, err = openCursor(text); err != nil {
			return receiver.Page{}, err
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
	if d.lagging {
		return d.held
	}
	return len(d.log)
}

// list shows everything in an order in which nothing moves while it is read.
func (d *Directory) list(feed receiver.Feed, at cursor) receiver.Page {
	all := map[string]directory.Observation{}
	switch feed.Kind {
	case receiver.UsersFeed:
		for id := range d.users {
			all[id] = d.user(id)
		}
	case receiver.GroupsFeed:
		for id := range d.groups {
			all[id] = d.group(id)
		}
	default:
		for _, group := range feed.Groups {
			for id := range d.members[group] {
				all[group+" "+id] = d.membership(group, id, "")
			}
		}
	}
	keys := slices.Sorted(maps.Keys(all))
	if at.After != "" {
		keys = slices.DeleteFunc(keys, func(key string) bool { return key <= at.After })
	}
	page := receiver.Page{More: len(keys) > d.PageSize}
	for _, key := range keys[:min(d.PageSize, len(keys))] {
		page.Observations = append(page.Observations, all[key])
		at.After = key
	}
	if !page.More {
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
