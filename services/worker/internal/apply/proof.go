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
	for n := 0; missing.Count() > 0; n++ {
		asked := take(&missing, askFor)
		id := fmt.Sprintf("%s%s%d", snapshot.Ref, proofInfix, n)
		if err := s.tx.AwaitProof(snapshot, id); err != nil {
			return err
		}
		if err := s.doubtMissed(asked, id); err != nil {
			return err
		}
		request := readRequest(asked)
		request.Snapshot = snapshot.Ref
		if err := s.command(event.TypeReadRequested, "read", id, s.origin.cause, request); err != nil {
			return err
		}
	}
	return nil
}

// doubtMissed has candidates read once more when whatever lags has caught up, unless the proof takes them away: where it shows
// them, either it lags or the full read did, and where it cannot be had nothing else would ask before the next full read.
func (s *session) doubtMissed(asked ledger.Things, request string) error {
	if s.cfg.Doubt <= 0 {
		return nil
	}
	return s.tx.DoubtMissed(s.tenant.ID, asked, request, s.origin.at.Add(s.cfg.Doubt))
}

// missing finds what the mirror holds within a full read's scope and the read did not show.
func (s *session) missing(data event.SnapshotEnded, began directory.Stamp) (c ledger.Things, err error) {
	understood := spared(data.SetAside)
	if data.Users {
		if c.Users, err = s.tx.UsersBefore(s.tenant.ID, began); err != nil {
			return c, err
		}
		c.Users = slices.DeleteFunc(c.Users, understood)
	}
	if data.Groups {
		if c.Groups, err = s.tx.GroupsBefore(s.tenant.ID, began); err != nil {
			return c, err
		}
		c.Groups = slices.DeleteFunc(c.Groups, understood)
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
				c.Members = append(c.Members, m)
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

// take cuts the first n things off: users first, then groups, then memberships.
func take(c *ledger.Things, n int) (head ledger.Things) {
	head.Users, c.Users = cut(c.Users, n)
	head.Groups, c.Groups = cut(c.Groups, n-head.Count())
	head.Members, c.Members = cut(c.Members, n-head.Count())
	return head
}

func cut[T any](list []T, n int) (head, tail []T) {
	n = min(n, len(list))
	return list[:n:n], list[n:]
}

// readRequest asks the receiver to read things singly.
func readRequest(asked ledger.Things) event.ReadRequested {
	request := event.ReadRequested{Users: asked.Users, Groups: asked.Groups}
	for _, m := range asked.Members {
		request.Members = append(request.Members, event.FromMembership(m))
	}
	return request
}
