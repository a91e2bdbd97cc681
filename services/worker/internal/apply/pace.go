package apply

import (
	"sync"
	"time"
)

// chunkTime is how long a chunk may take; after one that took longer the next has fewer users. Single changes wait for one
// chunk at most, also where the database is far away or has much to do.
const chunkTime = 250 * time.Millisecond

// leastChunk is how many users a chunk may have in any case.
const leastChunk = 10

// pace is how many users a chunk of a job has.
type pace struct {
	mu   sync.Mutex
	most int
	now  int
}

func newPace(most int) *pace { return &pace{most: most, now: most} }

func (p *pace) chunk() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

// took notes how long a chunk has taken.
func (p *pace) took(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case d > chunkTime:
		p.now = max(p.now/2, min(leastChunk, p.most))
	case d < chunkTime/4:
		p.now = min(p.now*2, p.most)
	}
}
