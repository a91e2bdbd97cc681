package verify_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
)

// world is a random directory of some users, whose provisioning group holds them or another group, and a mirror of it that
// is honest but slow: every read shows what is so when it is asked, its page comes later, and is decided upon later still.
type world struct {
	*stage
	t        *rapid.T
	statuses map[string]directory.Status
	links    map[link]bool
	read     map[any]any // by user or link, what the mirror was last shown
	pages    []page      // that are published and not decided upon yet
	applied  map[any]any // what decisions know
	licensed map[string]bool
}

type link struct{ group, member string }

type page struct {
	id   string
	of   any
	says any
}

var cast = []string{"ann", "bob", "cat"}

var allLinks = []link{{root, "ann"}, {root, "bob"}, {root, "inner"}, {"inner", "bob"}, {"inner", "cat"}}

func newWorld(t *testing.T, rt *rapid.T) *world {
	w := &world{
		stage: newStage(t), t: rt, statuses: map[string]directory.Status{}, links: map[link]bool{}, read: map[any]any{}, applied: map[any]any{},
		licensed: map[string]bool{},
	}
	w.group(root, address)
	w.group("inner", "inner@contoso.com")
	w.policy(root, w.page("", group(root, address)))
	for _, u := range cast {
		w.statuses[u] = directory.Active
		w.stage.user(u, directory.Active)
	}
	for _, l := range allLinks {
		w.change(l)
	}
	for _, u := range cast {
		w.ask(u)
	}
	for _, l := range allLinks {
		w.ask(l)
	}
	w.decideAll()
	return w
}

// change changes a user or a link of the directory.
func (w *world) change(what any) {
	if l, is := what.(link); is {
		w.links[l] = !w.links[l]
		if w.links[l] {
			w.join(l.group, l.member)
		} else {
			w.leave(l.group, l.member)
		}
		return
	}
	u := what.(string)
	w.statuses[u] = rapid.SampledFrom([]directory.Status{directory.Active, directory.Suspended, directory.Deleted}).Draw(w.t, "status")
	w.stage.user(u, w.statuses[u])
}

// ask reads one thing; while the answer is on its way the directory may change again.
func (w *world) ask(what any) {
	says := w.now(what)
	if rapid.IntRange(0, 3).Draw(w.t, "meanwhile") == 0 {
		w.change(w.anything())
	}
	if w.read[what] == says && rapid.Bool().Draw(w.t, "nothing new is not told") {
		return
	}
	w.read[what] = says
	w.show(what, says)
}

func (w *world) now(what any) any {
	if l, is := what.(link); is {
		return w.links[l]
	}
	return w.statuses[what.(string)]
}

// show publishes what a read showed.
func (w *world) show(what, says any) {
	cause := ""
	if rapid.Bool().Draw(w.t, "hinted") {
		cause = w.notified()
	}
	var o event.Observation
	if l, is := what.(link); is {
		kind := directory.UserMember
		if l.member == "inner" {
			kind = directory.GroupMember
		}
		o.Membership = &event.Membership{GroupID: l.group, MemberKind: string(kind), MemberID: l.member, Present: says.(bool)}
	} else {
		o = user(what.(string), says.(directory.Status))
	}
	w.pages = append(w.pages, page{id: w.page(cause, o), of: what, says: says})
}

func (w *world) anything() any {
	if i := rapid.IntRange(0, len(cast)+len(allLinks)-1).Draw(w.t, "what"); i >= len(cast) {
		return allLinks[i-len(cast)]
	} else {
		return cast[i]
	}
}

// decide decides upon the next page, with what the pages before it have said.
func (w *world) decide() {
	if len(w.pages) == 0 {
		return
	}
	next := w.pages[0]
	w.pages = w.pages[1:]
	w.applied[next.of] = next.says
	for _, u := range cast {
		licensed, reason := w.rule(u)
		switch {
		case licensed && !w.licensed[u]:
			w.granted(u, next.id)
		case !licensed && w.licensed[u]:
			w.revoked(u, reason, next.id)
		}
		w.licensed[u] = licensed
	}
}

func (w *world) decideAll() {
	for len(w.pages) > 0 {
		w.decide()
	}
}

func (w *world) rule(u string) (licensed bool, reason string) {
	in := func(l link) bool { return w.applied[l] == true }
	switch {
	case w.applied[u] == directory.Suspended:
		return false, "suspended"
	case w.applied[u] == directory.Deleted:
		return false, "deleted"
	default:
		return w.applied[u] == directory.Active && (in(link{root, u}) || in(link{root, "inner"}) && in(link{"inner", u})), "not-a-member"
	}
}

func (w *world) step() {
	switch rapid.IntRange(0, 3).Draw(w.t, "step") {
	case 0:
		w.change(w.anything())
	case 1, 2:
		w.ask(w.anything())
	default:
		w.decide()
	}
}

// TestWhoReadsAndDecidesHonestlyIsNeverBlamed, however slowly; but for torn views, which are named so.
func TestWhoReadsAndDecidesHonestlyIsNeverBlamed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, rt)
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			w.step()
		}
		r := w.report()
		for _, u := range r.Unjustified {
			if !u.Torn {
				rt.Fatalf("%s", r)
			}
		}
		if len(r.Faults) > 0 || r.Justified+r.Late+len(r.Unjustified) != r.Revocations {
			rt.Fatalf("%s", r)
		}
	})
}

// TestWhoIsToldTheOppositeOfWhatIsSoIsFound: behind any honest story a read shows of a link or a user what has not been so
// since it was last told the truth.
func TestWhoIsToldTheOppositeOfWhatIsSoIsFound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, rt)
		for range rapid.IntRange(0, 40).Draw(rt, "steps") {
			w.step()
		}
		w.decideAll()
		for what := range slices.Values([]any{"ann", "bob", "cat", allLinks[0], allLinks[1], allLinks[2], allLinks[3], allLinks[4]}) {
			w.show(what, w.now(what))
			w.read[what] = w.now(what)
		}
		w.decideAll()
		before := w.report()
		what := w.anything()
		lie := any(directory.Suspended)
		if _, is := what.(link); is {
			lie = false
		}
		if w.now(what) != any(directory.Active) && w.now(what) != any(true) {
			rt.Skip("it is so")
		}
		w.show(what, lie)
		w.decideAll()
		after := w.report()
		if lost := after.Revocations - before.Revocations; len(after.Unjustified)-len(before.Unjustified) != lost {
			rt.Fatalf("%d lost their licenses by a lie:\n%s", lost, after)
		}
	})
}
