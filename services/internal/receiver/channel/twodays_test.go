package channel_test

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/channel"
)

// retryAtMost is the longest wait between two tries, with what is added to it by chance.
const retryAtMost = 8 * time.Minute

// twoDays is a story of 48 hours: requests fail now and then, the process is started anew now and then, also in the middle
// of a request, and for some hours the provider makes no channel at all.
type twoDays struct {
	*rotation
	random  *rand.Rand // the test's
	faults  *rand.Rand // the provider's, under its lock
	away    atomic.Bool
	hang    atomic.Bool               // the next create
	back    time.Time                 // when the provider was there again, or the story began
	served  map[string]time.Time      // when each resource had a live channel last
	records map[string]channel.Record // as last read
	asked   int                       // requests when they were read
}

// TestTwoDays checks at each minute: no resource is without a live channel for longer than the wait between two tries, and
// the provider holds no channel that is not on record and does not prove itself.
func TestTwoDays(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("story ", seed), func(t *testing.T) {
			t.Parallel()
			s := &twoDays{
				rotation: setupRotation(t), random: rand.New(rand.NewPCG(1, seed)), faults: rand.New(rand.NewPCG(2, seed)),
				served: map[string]time.Time{},
			}
			s.dir.let(s.fault)
			s.run()
			s.back = s.clock.Now()
			for minute := range 48 * 60 {
				s.minute(minute)
				if t.Failed() {
					t.Fatalf("in minute %d", minute)
				}
			}
			s.mend()
			for range 12 * 60 {
				s.step()
			}
			for _, resource := range s.dir.Resources() {
				if n := len(s.of(resource)); n > 2 {
					t.Errorf("%s: %d channels long after everything went well again", resource, n)
				}
			}
			if s.dir.asked() < 48/3*2*2 {
				t.Errorf("%d requests in all: the story did not happen", s.dir.asked())
			}
		})
	}
}

// fault decides what becomes of a request. When the provider is there again the next try succeeds, so that the wait for it
// can be told from bad luck.
func (s *twoDays) fault(method string) outcome {
	if method == "create" {
		if s.hang.Swap(false) {
			return hung
		}
		if s.away.Load() {
			return []outcome{refused, failed, lost}[s.faults.IntN(20)/9]
		}
	}
	if s.faults.IntN(3) > 0 || s.clock.Now().Sub(s.back) < 2*retryAtMost {
		return fine
	}
	return []outcome{refused, failed, lost}[s.faults.IntN(3)]
}

func (s *twoDays) minute(minute int) {
	switch {
	case minute == 20*60:
		s.away.Store(true)
	case minute == 26*60:
		s.away.Store(false)
		s.back = s.clock.Now()
	case s.random.IntN(90) == 0:
		s.rotation.run()
	case s.random.IntN(400) == 0 && !s.away.Load():
		s.hang.Store(true) // some later request's process ends before its answer
	}
	s.step()
	s.check()
}

// step moves the clock by a minute. A process that waits for an answer that will not come is ended and started anew.
func (s *twoDays) step() {
	s.clock.Advance(time.Minute)
	waits := make(chan struct{})
	go func() {
		s.clock.BlockUntil(1)
		close(waits)
	}()
	select {
	case <-waits:
	case <-s.dir.stuck:
		s.rotation.run()
		<-waits
	}
}

func (s *twoDays) mend() {
	s.away.Store(false)
	s.hang.Store(false)
	s.dir.let(nil)
}

// check holds what must be true at any time.
func (s *twoDays) check() {
	s.t.Helper()
	now := s.clock.Now()
	if n := s.dir.asked(); n != s.asked || now.Minute() == 0 {
		s.records, s.asked = s.rotation.records(), n
	}
	for _, m := range s.dir.channels() {
		record, known := s.records[m.ID]
		proof, err := s.keys.Verify(directory.GoogleWorkspace, m.secret)
		switch {
		case !known:
			s.t.Errorf("the provider holds %s of %s, which is not on record", m.ID, m.Resource)
		case err != nil || proof.Channel != m.ID:
			s.t.Errorf("%s echoes what proves %+v, %v", m.ID, proof, err)
		case m.Expires.After(record.Expires):
			s.t.Errorf("%s is forgotten before it expires", m.ID)
		case record.State == channel.Live || record.State == channel.Pending:
			s.served[m.Resource] = now
		}
	}
	for name, record := range s.records {
		if now.Sub(record.Expires) > 2*time.Hour+time.Minute {
			s.t.Errorf("%s of %s is on record since its expiry at %s", name, record.Resource, record.Expires)
		}
	}
	for _, resource := range s.dir.Resources() {
		since := s.served[resource]
		if s.back.After(since) {
			since = s.back
		}
		if gap := now.Sub(since); gap > retryAtMost && !s.away.Load() {
			s.t.Errorf("%s: no live channel for %s", resource, gap)
		}
	}
}
