package apply

import (
	"errors"
	"fmt"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// Owner is who reads a partition and does its tenants' work, by a lease.
type Owner struct {
	Part  int
	Epoch int64 // of the lease: a later owner's is higher
}

// ErrFenced says that another owner with a later lease has the partition: whoever still acts for it must stop.
var ErrFenced = errors.New("another owner has the partition")

// fence locks the partition's position and refuses an owner whose lease is older than the one that it was written under.
func (s *session) fence(owner Owner) error {
	known, found, err := s.tx.Position(bus.LedgerIn, owner.Part)
	if err != nil || !found {
		return err
	}
	return fenced(known, owner)
}

func fenced(known ledger.Position, owner Owner) error {
	if known.Epoch > owner.Epoch {
		return fmt.Errorf("partition %d, lease of %d after %d: %w", owner.Part, known.Epoch, owner.Epoch, ErrFenced)
	}
	return nil
}
