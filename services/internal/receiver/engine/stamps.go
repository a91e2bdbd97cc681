package engine

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// stampers hands out one counter a tenant, in the epoch of the tenant's partition: a lane that is started anew goes on
// where the one before it ended.
type stampers struct {
	own func(ctx context.Context, partition int) (epoch int64, err error)

	mu      sync.Mutex
	epochs  map[int]int64
	tenants map[string]*stamper
}

func (s *stampers) of(ctx context.Context, tenant string, partition int) (*stamper, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.epochs == nil {
		s.epochs, s.tenants = map[int]int64{}, map[string]*stamper{}
	}
	if known := s.tenants[tenant]; known != nil {
		return known, nil
	}
	if _, owned := s.epochs[partition]; !owned {
		epoch, err := s.own(ctx, partition)
		if err != nil {
			return nil, err
		}
		s.epochs[partition] = epoch
	}
	s.tenants[tenant] = &stamper{epoch: s.epochs[partition]}
	return s.tenants[tenant], nil
}

type stamper struct {
	epoch   int64
	counter atomic.Uint64
}

// Next takes the next stamp; the first has counter 1.
func (s *stamper) Next() directory.Stamp {
	return directory.Stamp{Epoch: s.epoch, Counter: s.counter.Add(1)}
}
