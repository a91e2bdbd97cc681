package state

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Feeds is how far a tenant is read: everything before these cursors is on LEDGER_IN.
type Feeds struct {
	// Connection says which connection of which directory to which stream the cursors are of. They mean nothing in another.
	Connection string `json:"connection"`
	// Epoch is of the lease of who follows the tenant. Each new owner stores its own before its first request: what an owner
	// before it would store later is refused then, as what it read may be older than what it says.
	Epoch int64 `json:"epoch,omitempty"`

	Users      string        `json:"users,omitempty"`
	UsersTold  Told          `json:"users_told,omitzero"`
	Groups     string        `json:"groups,omitempty"`
	GroupsTold Told          `json:"groups_told,omitzero"`
	Members    []MembersFeed `json:"members,omitempty"`

	Addresses []string         `json:"addresses"` // of the provisioning groups that Watched was found by, sorted
	Watched   map[string]Watch `json:"watched,omitempty"`
	// Inside are the ids of the groups that are members of a watched one, sorted, by its id. nil: an earlier version stored
	// none, and it is not known.
	Inside map[string][]string `json:"inside"`
	FullAt time.Time           `json:"full_at,omitzero"` // when the last complete read began

	// SetAside are objects that could not be understood when they changed. They are read again by themselves.
	SetAside []SetAside `json:"set_aside,omitempty"`
}

// SetAside is one of them. Feed is the kind of the feed that showed it.
type SetAside struct {
	Feed string `json:"feed"`
	ID   string `json:"id"`
}

// MembersFeed is the cursor of the direct members of some groups.
type MembersFeed struct {
	Groups []string `json:"groups"` // ids, sorted
	Cursor string   `json:"cursor"`
	Cost   int      `json:"cost,omitempty"` // requests that it took to begin; 0: not known
	Told   Told     `json:"told,omitzero"`
}

// Told is of which time a feed has told each change, in order. What it tells behind that undoes what it told within; of what
// others told, or what it told once more from the same cursor, that is not known: a replica that lags may have answered.
type Told struct {
	Since time.Time `json:"since,omitzero"` // when its cursors took over
	Until time.Time `json:"until,omitzero"` // when its cursor came
}

// To returns the time up to the coming of another cursor.
func (t Told) To(at time.Time) Told { return Told{Since: t.Since, Until: at} }

// Begun is that of a feed which takes over now.
func Begun(at time.Time) Told { return Told{Since: at, Until: at} }

// Watch is a group whose members are mirrored, because it has the address of a provisioning group or is nested, at any
// depth, in one that has.
type Watch struct {
	Addresses []string `json:"addresses,omitempty"` // those of Feeds.Addresses that it has; none: it is only nested
	Names     []string `json:"names,omitempty"`     // all its addresses, where they are needed
	By        string   `json:"cause,omitempty"`     // id of the event that brought the group
	Vanish    *Vanish  `json:"vanish,omitempty"`
}

// Nested reports whether the group is watched only because another one holds it.
func (w Watch) Nested() bool { return len(w.Addresses) == 0 }

// IsNamed reports whether a key is the id of the watched group or one of its addresses.
func (w Watch) IsNamed(id, key string) bool {
	return key == id || slices.Contains(w.Names, key) || slices.Contains(w.Addresses, key)
}

// Vanish is how far it is proved that a group is gone.
type Vanish struct {
	Said bool      `json:"said"`            // a read of its id has said so
	Seen bool      `json:"seen,omitempty"`  // a read of its id has shown it: one more, and it is there
	Next time.Time `json:"next"`            // when to read next
	By   string    `json:"cause,omitempty"` // id of the event that brought the news
	// Held are the groups that the provider says it has left, which is not told before it is known whether it is gone.
	Held []string `json:"held,omitempty"`
}

// Clone returns a copy that shares nothing that is changed in place.
func (f Feeds) Clone() Feeds {
	f.Members = slices.Clone(f.Members)
	f.Watched = maps.Clone(f.Watched)
	f.Inside = maps.Clone(f.Inside)
	f.SetAside = slices.Clone(f.SetAside)
	return f
}

// LoadFeeds reads a tenant's feeds and their revision: the zero Feeds and 0 where there are none.
func (s *Store) LoadFeeds(ctx context.Context, tenant string) (Feeds, uint64, error) {
	var f Feeds
	revision, err := s.get(ctx, tenant+".feeds", &f)
	return f, revision, err
}

// SaveFeeds stores the feeds if their revision is still the given one (0: there are none), and returns the new one.
func (s *Store) SaveFeeds(ctx context.Context, tenant string, f Feeds, revision uint64) (uint64, error) {
	key := tenant + ".feeds"
	body, err := json.Marshal(f)
	if err != nil {
		return 0, fmt.Errorf("save %s: %w", key, err)
	}
	next, err := swap(ctx, s.kv, key, body, revision)
	if err != nil {
		return 0, fmt.Errorf("save %s: %w", key, err)
	}
	return next, nil
}
