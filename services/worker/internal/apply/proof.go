package apply

import (
	"fmt"
	"slices"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// askFor is the most candidates that one request for proof names.
const askFor = 500

// proofInfix stands between a snapshot's id and the number of a request for proof.
const proofInfix = ".proof."

// askForProof sends the receiver to read again, one by one, what a full read did not show. Pages shift while they are
// read and replicas lag: absence alone removes nothing.
func (s *session) askForProof(snapshot ledger.Snapshot, data event.SnapshotEnded, began directory.Stamp) error {
	missing, err := s.missing(data, began)
	if err != nil {
		return err
	}
	for n := 0; missing.count() > 0; n++ {
		request := missing.take(askFor)
		request.Snapshot = snapshot.Ref
		id := fmt.Sprintf("%s%s%d", snapshot.Ref, proofInfix, n)
		if err := s.tx.AwaitProof(snapshot, id); err != nil {
			return err
		}
		if err := s.command(event.TypeReadRequested, "read", id, s.origin.cause, request); err != nil {
			return err
		}
	}
	return nil
}

// missing finds what the mirror holds within a full read's scope and the read did not show.
func (s *session) missing(data event.SnapshotEnded, began directory.Stamp) (c candidates, err error) {
	understood := spared(data.SetAside)
	if data.Users {
		if c.users, err = s.tx.UsersBefore(s.tenant.ID, began); err != nil {
			return c, err
		}
		c.users = slices.DeleteFunc(c.users, understood)
	}
	if data.Groups {
		if c.groups, err = s.tx.GroupsBefore(s.tenant.ID, began); err != nil {
			return c, err
		}
		c.groups = slices.DeleteFunc(c.groups, understood)
	}
	for _, ref := range data.Members {
		group, found, err := s.tx.Group(s.tenant.ID, ref)
		if err != nil {
			return c, err
		}
		if !found || understood(ref) {
			continue
		}
		members, err := s.tx.MembersBefore(group, began)
		if err != nil {
			return c, err
		}
		for _, m := range members {
			if !understood(m.ID) {
				c.members = append(c.members, m)
			}
		}
		if !data.Users || !data.Groups {
			continue // only a snapshot of everything has what is older than it dropped, see ledger.Tenant.Snapshot
		}
		if err := s.tx.PurgeMembers(group, began, s.origin.at.Add(-s.cfg.Doubt)); err != nil {
			return c, err
		}
	}
	return c, nil
}

// spared tells which ids the end of a full read names as not understood: they count as shown.
func spared(ids []string) func(string) bool {
	set := make(map[string]bool, len(ids))
	for _, id := range ids {
		set[id] = true
	}
	return func(id string) bool { return set[id] }
}

// candidates are what a full read did not show.
type candidates struct {
	users, groups []string
	members       []directory.Membership
}

func (c *candidates) count() int { return len(c.users) + len(c.groups) + len(c.members) }

// take cuts the next n candidates off: users first, then groups, then memberships.
func (c *candidates) take(n int) event.ReadRequested {
	var r event.ReadRequested
	r.Users, c.users = cut(c.users, n)
	r.Groups, c.groups = cut(c.groups, n-len(r.Users))
	var members []directory.Membership
	members, c.members = cut(c.members, n-len(r.Users)-len(r.Groups))
	for _, m := range members {
		r.Members = append(r.Members, event.FromMembership(m))
	}
	return r
}

func cut[T any](list []T, n int) (head, tail []T) {
	n = min(n, len(list))
	return list[:n:n], list[n:]
}
