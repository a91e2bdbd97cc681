package traffic

import (
	"sync"
	"time"
)

// Quota holds everyone to a number of requests in any minute. It is safe for concurrent use.
type Quota struct {
	mu    sync.Mutex
	spent map[string]*window
}

// window counts the requests of the last minute by the second in which they came.
type window struct {
	seconds [60]struct {
		at    int64 // seconds since 1970
		count int
	}
}

// NewQuota returns a quota of which nothing is spent.
func NewQuota() *Quota { return &Quota{spent: map[string]*window{}} }

// Take spends one request of who's quota at a time, and reports whether there was one left. A request that is refused
// costs nothing.
func (q *Quota) Take(who string, now time.Time, perMinute int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	w := q.spent[who]
	if w == nil {
		w = &window{}
		q.spent[who] = w
	}
	second := now.Unix()
	total := 0
	for _, s := range w.seconds {
		if second-s.at < 60 {
			total += s.count
		}
	}
	if total >= perMinute {
		return false
	}
	slot := &w.seconds[((second%60)+60)%60]
	if slot.at != second {
		slot.at, slot.count = second, 0
	}
	slot.count++
	return true
}
