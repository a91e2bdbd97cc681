package apply

import (
	"slices"

	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// renesting runs what may change which groups are nested in which, and sees to it that those whom that concerns are
// decided again: few of them at once, many by a job.
func (s *session) renesting(do func() error, touched *users, preview string) error {
	before, err := s.rooted()
	if err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	after, err := s.rooted()
	if err != nil {
		return err
	}
	for root, was := range before {
		is, still := after[root]
		if !still { // another policy, or a change that is no more: who it concerns is seen to already
			continue
		}
		many, err := s.concerned(was, is, touched)
		if err != nil {
			return err
		}
		if many {
			if err := s.decideMany(root, was, is, preview); err != nil {
				return err
			}
		}
	}
	return nil
}

// compare reports whether anybody may have left with what differs in a nest that has become another, and whether it differs for
// any others.
func (n nest) compare(next nest) (leave, others bool) {
	for _, group := range n.Differ(next.Nest) {
		holds := next.Holds(group)
		leave, others = leave || !holds, others || holds
	}
	if !slices.Equal(n.whole, next.whole) {
		leave, others = leave || len(next.whole) == 0, others || len(next.whole) > 0
	}
	return leave, others
}

// root is a group that decides about a product, or would if a change were approved.
type root struct {
	product *product
	group   string
	flip    bool
}

func (s *session) rooted() (map[root]nest, error) {
	all := map[root]nest{}
	for _, p := range s.products {
		if p.State.Phase != licensing.InForce {
			continue
		}
		roots := []root{{product: p, group: p.State.Policy.Group}}
		if p.State.Proposes() {
			roots = append(roots, root{product: p, group: p.State.Change.Group, flip: true})
		}
		for _, r := range roots {
			n, err := s.nestOf(r.group)
			if err != nil {
				return nil, err
			}
			all[r] = n
		}
	}
	return all, nil
}

// concerned adds to touched those whose path may be another one now, unless they are too many for one transaction.
func (s *session) concerned(was, is nest, touched *users) (many bool, err error) {
	differ := was.Differ(is.Nest)
	if !slices.Equal(was.whole, is.whole) || slices.ContainsFunc(is.whole, func(g int64) bool { return slices.Contains(differ, g) }) {
		return true, nil
	}
	for _, group := range differ {
		members, err := s.tx.DirectMembers(group, s.cfg.Chunk+1)
		if err != nil {
			return false, err
		}
		if len(members)+len(touched.order) > s.cfg.Chunk {
			return true, nil
		}
		for _, id := range members {
			touched.add(id)
		}
	}
	return false, nil
}

// decideMany begins the job that goes through all users: a review, that of a preview if one has brought it, or for a change that
// is proposed a survey. The review of those who leave waits until all of the nest is shown.
func (s *session) decideMany(r root, was, is nest, preview string) error {
	if !r.flip {
		h, err := s.previewing(r.product, preview)
		if err != nil {
			return err
		}
		if h != nil {
			return s.startJob(r.product, ledger.JobReview, h.ID, h.Cause)
		}
		leave, others := was.compare(is)
		if leave && s.cfg.Whole && preview == "" {
			if err := s.putOffAll(r.product); err != nil || !others {
				return err
			}
		}
		return s.startJob(r.product, ledger.JobReview, 0, s.origin.cause)
	}
	flip, err := s.hold(r.product, ledger.HeldFlip)
	if flip == nil || err != nil {
		return err
	}
	return s.startJob(r.product, ledger.JobSurvey, flip.ID, flip.Cause)
}
