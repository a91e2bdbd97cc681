package workspace

import (
	"maps"
	"sync"
	"time"

	"github.com/rollcall-hq/rollcall/services/workspace-receiver/internal/workspace/wire"
)

// Activities show late, with the time at which they happened: behind where the journal was read to. So each read begins
// before that: by a little, and every now and then by as much as Google says that they may be late.
const (
	narrow    = 10 * time.Minute
	wideEvery = 5 * time.Minute
)

// settled is how long a change may take to show in lists. Source: Google's page on the Directory API's limits.
const settled = 10 * time.Minute

// wide is the long overlap of each journal. Source: Google's page on data retention and lag times.
var wide = map[string]time.Duration{adminJournal: 30 * time.Minute, groupsJournal: 3 * time.Hour}

// journal remembers which activities of an application are done with. An activity is, when the cursor behind the read that
// showed it is handed back: only then did whoever reads us use what the pages named. It may be used by several goroutines.
type journal struct {
	application string

	mu      sync.Mutex
	seen    *seen
	wideAt  time.Time // when the last wide read began that is done with
	pending pending
	list    list
}

// list is what was told before the last list of everything was begun, which shows what came of it.
type list struct {
	end  string // the cursor behind the list; "" until its last page is there
	keys map[uint64]struct{}
}

// pending is one read of the journal that is not done with yet.
type pending struct {
	end   string // the cursor behind it; "" until its last page is there
	began time.Time
	wide  bool
	keys  map[uint64]struct{}
}

func newJournal(application string) *journal {
	return &journal{application: application, seen: newSeen(maxSeen)}
}

// begin turns a cursor at rest into one for the first page of a read.
func (j *journal) begin(c cursor, raw string, now time.Time) cursor {
	j.mu.Lock()
	defer j.mu.Unlock()
	if raw == j.pending.end {
		for key := range j.pending.keys {
			j.seen.add(key)
		}
		if j.pending.wide {
			j.wideAt = j.pending.began
		}
	}
	if raw == j.list.end {
		for key := range j.list.keys {
			j.seen.add(key)
		}
	}
	j.pending = pending{began: now, keys: map[uint64]struct{}{}}
	overlap := narrow
	if j.wideAt.IsZero() || now.Sub(j.wideAt) >= wideEvery {
		overlap, j.pending.wide = wide[j.application], true
	}
	c.Stage, c.Began, c.From, c.Wide = reading, now.UTC(), c.Since.Add(-overlap).UTC(), j.pending.wide
	return c
}

// listBegan says that everything is listed from here on.
func (j *journal) listBegan() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.list = list{}
	if j.pending.end != "" {
		j.list.keys = maps.Clone(j.pending.keys)
	}
}

// listEnded says which cursor is behind the list.
func (j *journal) listEnded(c cursor) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.list.end = c.String()
}

// fresh reports whether an activity is new: neither done with nor noted.
func (j *journal) fresh(a wire.Activity) bool {
	key := a.Key()
	j.mu.Lock()
	defer j.mu.Unlock()
	_, known := j.pending.keys[key]
	return !known && !j.seen.has(key)
}

// note keeps a fresh activity that changes something; others cost nothing when they come again.
func (j *journal) note(a wire.Activity) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.pending.keys != nil && len(j.pending.keys) < maxSeen {
		j.pending.keys[a.Key()] = struct{}{}
	}
}

// end says which cursor is behind the read.
func (j *journal) end(c cursor) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.pending.end = c.String()
}
