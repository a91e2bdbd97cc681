package engine

import (
	"sync/atomic"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// stamper counts a tenant's requests in the epoch of its partition's lease.
type stamper struct {
	epoch   int64
	counter atomic.Uint64
}

// Epoch is that of the lease.
func (s *stamper) Epoch() int64 { return s.epoch }

// Next takes the next stamp; the first has counter 1.
func (s *stamper) Next() directory.Stamp {
	return directory.Stamp{Epoch: s.epoch, Counter: s.counter.Add(1)}
}
