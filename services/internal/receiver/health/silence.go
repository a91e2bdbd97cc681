package health

import (
	"slices"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

const (
	// many changes in a row of which no push tells prove that none comes.
	many = 20
	// few do, where none has come for longer than the tenant's habit, or since the channels were replaced.
	few = 3
	// longer is how many times the median between two pushes is longer than the habit, which habit pushes show.
	longer, habit = 8, 8
	// remembered is how many of the last times between pushes make the habit, and how many entries of journals are known.
	remembered, entries = 32, 4096
)

// canary is how long after a channel was made its first message may come, where one comes by itself.
const canary = 2 * time.Minute

// first is the line of these first messages.
const first = receiver.Resource("")

// The waits between two replacements of channels that stay silent: each is twice the one before.
const (
	replaceAgain  = time.Hour
	replaceAtMost = 24 * time.Hour
)

// silence tells channels that died without a word from a directory in which nothing happens: a change that a page shows, and no
// push tells of for Grace before and after, was missed. What a provider pushes for users and for groups comes through channels of
// their own, and each is listened to by itself.
type silence struct {
	grace    time.Duration
	journals bool
	from     time.Time // what is shown before may have been pushed to somebody else
	heard    bool
	lines    map[receiver.Resource]*line
	early    map[string]bool     // channels whose first message has come before they were known to be made
	known    map[string]struct{} // entries of journals that were shown: these come again and again
	ring     []string
	at       int

	since    time.Time // when channels were first replaced that have been silent since
	again    time.Time // when they may be replaced again
	wait     time.Duration
	degraded bool
}

// line is what is heard about one resource.
type line struct {
	grace   time.Duration // how long a push may be late
	proof   int           // how many that are missed prove that none comes
	pushed  time.Time
	gaps    []time.Duration // the last ones, between pushes
	waiting map[string]time.Time
	missed  int
	silent  bool // since it was mute, it was not heard
}

func newSilence(grace time.Duration, journals bool, now time.Time) silence {
	return silence{
		grace: grace, journals: journals, from: now.Add(grace), lines: map[receiver.Resource]*line{}, known: map[string]struct{}{}, early: map[string]bool{},
	}
}

func (s *silence) line(of receiver.Resource) *line {
	if s.lines[of] == nil {
		l := &line{grace: s.grace, proof: many, waiting: map[string]time.Time{}}
		if of == first {
			l.grace, l.proof = canary, 1
		}
		s.lines[of] = l
	}
	return s.lines[of]
}

// showed notes the changes of a page that no push has told of so far, and reports whether there are any.
func (s *silence) showed(kind receiver.FeedKind, page receiver.Page, now time.Time) (news bool) {
	of, ids := s.changes(kind, page)
	l := s.line(of)
	for _, id := range ids {
		if s.journals && s.repeated(id) {
			continue
		}
		if now.Before(s.from) || !l.pushed.IsZero() && now.Sub(l.pushed) <= s.grace {
			continue
		}
		if _, waits := l.waiting[id]; !waits && len(l.waiting) < entries {
			l.waiting[id], news = now, true
		}
	}
	return news
}

// changes are what a page shows, by what pushes call it.
func (s *silence) changes(kind receiver.FeedKind, page receiver.Page) (of receiver.Resource, ids []string) {
	if s.journals {
		return receiver.ActivityResource, page.Shown
	}
	for _, o := range page.Observations {
		switch {
		case o.User != nil:
			ids = append(ids, o.User.ID)
		case o.Group != nil:
			ids = append(ids, o.Group.ID)
		case o.Membership != nil:
			ids = append(ids, o.Membership.GroupID)
		}
	}
	if kind == receiver.UsersFeed {
		return receiver.UserResource, ids
	}
	return receiver.GroupResource, ids
}

// repeated reports whether an entry of a journal was shown before, and knows it from now on.
func (s *silence) repeated(id string) bool {
	if _, known := s.known[id]; known {
		return true
	}
	s.known[id] = struct{}{}
	if len(s.ring) < entries {
		s.ring = append(s.ring, id)
		return false
	}
	delete(s.known, s.ring[s.at])
	s.ring[s.at] = id
	s.at = (s.at + 1) % entries
	return false
}

// pushed notes that a push has told of a change, and reports whether that is news.
func (s *silence) pushed(of receiver.Resource, now time.Time) (news bool) {
	l := s.line(of)
	if !l.pushed.IsZero() {
		if l.gaps = append(l.gaps, now.Sub(l.pushed)); len(l.gaps) > remembered {
			l.gaps = l.gaps[1:]
		}
	}
	news = !s.heard || l.silent
	l.pushed, l.missed, l.silent, s.heard = now, 0, false, true
	clear(l.waiting)
	if f := s.lines[first]; f != nil { // what comes through one channel would come through all
		news = news || f.silent
		f.missed, f.silent = 0, false
	}
	return news
}

// made begins to wait for the first message on a channel, unless it has come already.
func (s *silence) made(name string, now time.Time) {
	if s.early[name] {
		delete(s.early, name)
		return
	}
	s.line(first).waiting[name] = now
}

// opened notes that the first message on a channel has come, and reports whether that is news.
func (s *silence) opened(name string) (news bool) {
	l := s.line(first)
	if _, waits := l.waiting[name]; waits {
		delete(l.waiting, name)
	} else if len(s.early) < entries {
		s.early[name] = true
	}
	news = !s.heard || l.silent
	l.missed, l.silent, s.heard = 0, false, true
	return news
}

// judge says whether the channels are to be replaced now, and whether they are silent although they were.
func (s *silence) judge(now time.Time) (replace, degraded bool) {
	mute, silent := false, false
	for _, l := range s.lines {
		l.settle(now)
		if l.mute(now, !s.since.IsZero()) {
			mute, l.silent = true, true
		}
		silent = silent || l.silent
	}
	switch {
	case !silent: // what was has been heard
		s.since, s.again, s.wait, s.degraded = time.Time{}, time.Time{}, 0, false
	case mute && s.since.IsZero():
		s.since, s.wait, replace = now, replaceAgain, true
	case mute:
		s.degraded = true
		if replace = !s.again.After(now); replace {
			s.wait = min(2*s.wait, replaceAtMost)
		}
	}
	if replace {
		s.replaced(now)
	}
	return replace, s.degraded
}

// replaced begins to listen to new channels. What they might have missed by a moment is not held against them.
func (s *silence) replaced(now time.Time) {
	s.again, s.from = now.Add(s.wait), now.Add(s.grace)
	for _, l := range s.lines {
		l.missed = 0
		clear(l.waiting)
	}
}

// next is when a change that waits for its push has waited for long enough, when a line is silent for longer than its habit, or
// when silent channels may be replaced again.
func (s *silence) next(now time.Time) time.Time {
	var soonest time.Time
	for _, l := range s.lines {
		for _, at := range l.waiting {
			soonest = earliest(soonest, at.Add(l.grace))
		}
		if at := l.unusual(); at.After(now) {
			soonest = earliest(soonest, at)
		}
	}
	if s.degraded && s.again.After(now) {
		soonest = earliest(soonest, s.again)
	}
	return soonest
}

// settle counts the changes whose push would have come by now.
func (l *line) settle(now time.Time) {
	for id, at := range l.waiting {
		if !at.Add(l.grace).After(now) {
			delete(l.waiting, id)
			l.missed++
		}
	}
}

// mute reports whether a line is silent.
func (l *line) mute(now time.Time, replaced bool) bool {
	if l.missed >= l.proof || replaced && l.missed >= few {
		return true
	}
	at := l.unusual()
	return !at.IsZero() && !at.After(now)
}

// unusual is when a line that has missed a few is silent for longer than its habit; zero: it has missed none, or has no habit.
func (l *line) unusual() time.Time {
	if l.missed < few || len(l.gaps) < habit {
		return time.Time{}
	}
	sorted := slices.Sorted(slices.Values(l.gaps))
	return l.pushed.Add(max(longer*sorted[len(sorted)/2], l.grace))
}
