package ledger

import "github.com/rollcall-hq/rollcall/pkg/directory"

// Seen is what an observation does to the row that it is of.
type Seen int

// The effects of an observation.
const (
	Stale   Seen = iota // older than what is known: dropped
	Same                // known already: at most the row's stamp has moved
	Changed             // the row says something else now
)

// outdated reports whether an observation must be dropped: it is older than what its row shows, or nothing was shown yet
// and it is older than the tenant's last complete snapshot, which would have shown it.
func (t Tenant) outdated(s directory.Stamp, row stamp, shown bool) bool {
	if shown {
		return s.Compare(row.directory()) < 0
	}
	return s.Compare(t.Snapshot) < 0
}
