package workspace

// maxSeen bounds what is remembered of one journal. A journal that tells of more within its overlap is read twice in part,
// which costs requests and harms nothing.
const maxSeen = 100_000

// seen is the activities that were read not long ago, by their keys. When it is full, each new one drives out the oldest.
type seen struct {
	keys map[uint64]struct{}
	ring []uint64
	next int // where the oldest stands once the ring is full
	max  int
}

func newSeen(limit int) *seen { return &seen{keys: map[uint64]struct{}{}, max: limit} }

func (s *seen) has(key uint64) bool {
	_, ok := s.keys[key]
	return ok
}

func (s *seen) add(key uint64) {
	if s.has(key) {
		return
	}
	s.keys[key] = struct{}{}
	if len(s.ring) < s.max {
		s.ring = append(s.ring, key)
		return
	}
	delete(s.keys, s.ring[s.next])
	s.ring[s.next] = key
	s.next = (s.next + 1) % s.max
}
