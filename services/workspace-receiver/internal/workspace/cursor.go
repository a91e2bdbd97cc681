package workspace

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

// cursor is where a feed of users or groups stands: in the list of everything, at rest between two reads of the journal, on
// a page of the journal, or in the list of deleted users that follows it.
type cursor struct {
	Stage stage `json:"stage"`
	// Since is when the list was begun; from then on, when the last read of the journal that came to its end was.
	Since time.Time `json:"since"`
	// Listed is when the list was begun: it shows what came of all that had happened by then.
	Listed time.Time `json:"listed,omitzero"`
	// Turn is how many reads of the journal have come to their end, so that no two cursors at rest are alike.
	Turn    int64     `json:"turn,omitempty"`
	Page    string    `json:"page,omitempty"`   // Google's token of the page that is next
	From    time.Time `json:"from,omitzero"`    // the beginning of the journal's window
	Began   time.Time `json:"began,omitzero"`   // when this read of the journal began: the next Since
	Wide    bool      `json:"wide,omitempty"`   // that window is the long one
	Deleted time.Time `json:"deleted,omitzero"` // users that were deleted since then are to be looked up; zero: none were
}

type stage string

const (
	listing  stage = "list"
	resting  stage = "rest"
	reading  stage = "journal"
	deleting stage = "deleted"
)

// oldest is how far back a journal is followed. Google keeps activities for 180 days, but deleted users for 20: behind that
// only a read of everything tells who is gone.
const oldest = 19 * 24 * time.Hour

// openCursor reads a cursor; an empty one begins the list. One that is too old, or is none of ours, is expired.
func openCursor(raw string, now time.Time) (cursor, error) {
	if raw == "" {
		return cursor{Stage: listing, Since: now.UTC()}, nil
	}
	var c cursor
	if json.Unmarshal([]byte(raw), &c) != nil || c.Since.IsZero() {
		return cursor{}, fmt.Errorf("the cursor is none of this feed: %w", receiver.ErrCursorExpired)
	}
	switch c.Stage {
	case listing, resting, reading, deleting:
	default:
		return cursor{}, fmt.Errorf("the cursor is none of this feed: %w", receiver.ErrCursorExpired)
	}
	if c.Stage == resting && now.Sub(c.Since) > oldest {
		return cursor{}, fmt.Errorf("the journal is older than %s: %w", oldest, receiver.ErrCursorExpired)
	}
	return c, nil
}

func (c cursor) String() string {
	raw, err := json.Marshal(c)
	if err != nil {
		panic(err) // strings, numbers, and times of this century
	}
	return string(raw)
}

// rest is the cursor behind the journal's last page.
func (c cursor) rest() cursor {
	return cursor{Stage: resting, Since: c.Began, Listed: c.Listed, Turn: c.Turn + 1}
}
