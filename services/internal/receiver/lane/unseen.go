package lane

import "time"

// rereads are the waits after the first round that did not show what a hint was about: the provider's pushes may be ahead
// of its API. After the last one the polls will do.
var rereads = [...]time.Duration{2 * time.Second, 5 * time.Second, 10 * time.Second}

// unseen are the objects that a hint named and no round has shown since, by id.
type unseen map[string]*reread

type reread struct {
	since   time.Time // the first round that did not show it
	attempt int       // index of the wait in rereads
	of      string    // the resource
}

func (r reread) at() time.Time { return r.since.Add(rereads[r.attempt]) }

// next is when to read again; zero: nothing is missed.
func (u unseen) next() time.Time {
	var first time.Time
	for _, r := range u {
		if at := r.at(); first.IsZero() || at.Before(first) {
			first = at
		}
	}
	return first
}

// due returns the resources of those to read again now, by id.
func (u unseen) due(now time.Time) map[string]string {
	due := map[string]string{}
	for id, r := range u {
		if !r.at().After(now) {
			due[id] = r.of
		}
	}
	return due
}

// after settles a round that began at the given time: what it showed is no longer missed, what was hinted and not shown is
// from now on, and what was read again in vain waits longer or is let go.
func (u unseen) after(began time.Time, shown map[string]struct{}, hinted map[string]string) {
	for id, r := range u {
		if _, ok := shown[id]; ok {
			delete(u, id)
			continue
		}
		for r.attempt < len(rereads) && !r.at().After(began) {
			r.attempt++
		}
		if r.attempt == len(rereads) {
			delete(u, id)
		}
	}
	for id, of := range hinted {
		if _, ok := shown[id]; ok || len(u) >= maxHinted {
			continue
		}
		u[id] = &reread{since: began, of: of}
	}
}
