package apply_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/event/eventtest"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
)

var full = flag.Bool("crowd", false, "flip 100,000 users on Postgres and with the race detector too, rather than a fiftieth of them")

// crowdSize is how many users a crowd has: a fiftieth where all of them would take minutes.
func crowdSize(b ledgertest.Backend) int {
	const many = 100_000
	if *full || !raced && b.Name == "sqlite" {
		return many
	}
	return many / 50
}

// pageSize is how many members a page shows, chunkSize how many users a job decides at a time, as by default.
const pageSize, chunkSize = 500, 250

// crowd is a tenant all of whose many users are licensed by default, and what is expected of them.
type crowd struct {
	*harness
	users    int
	members  int               // the first so many are put into a group
	licensed map[string]bool   // what is to stand in the end, by user
	other    map[string]string // users of whom something else changed meanwhile: why they have no license
	most     int64             // rows that one transaction has written
}

func newCrowd(t *testing.T, b ledgertest.Backend) *crowd {
	t.Helper()
	address, users := b.Address(t), crowdSize(b)
	load := bulk(users)
	load.Group = ""
	ledgertest.Load(t, address, load)
	c := &crowd{
		harness: newHarnessAt(t, address, eventtest.Shared(t), contoso()), users: users, members: users * 2 / 5,
		licensed: map[string]bool{}, other: map[string]string{},
	}
	t.Cleanup(c.close)
	c.at, c.chunk = 1, chunkSize
	c.restart()
	r := newRecord()
	r.sequence, r.policy = uint64(users)+1, licensing.Policy{Mode: licensing.AllUsers}
	for i := 1; i <= users; i++ {
		id := ledgertest.UserRef(i)
		c.licensed[id] = i <= c.members
		r.users[id] = event.Entitlement{User: id, Licensed: true, Since: began, Reason: string(licensing.DomainDefault)}
	}
	c.records[event.LicenseSource("contoso", share)] = r
	return c
}

// fill makes the group and puts its members into it, a page at a time.
func (c *crowd) fill() {
	c.t.Helper()
	c.see(group("g", address))
	for from := 1; from <= c.members; from += pageSize {
		var page []directory.Observation
		for i := from; i < min(from+pageSize, c.members+1); i++ {
			page = append(page, member("g", ledgertest.UserRef(i), true))
		}
		c.see(page...)
		c.bounded(pageSize + 20)
	}
}

// bounded holds the last transaction to the rows that it may write.
func (c *crowd) bounded(rows int64) {
	c.t.Helper()
	if c.last.Rows > rows {
		c.t.Fatalf("a transaction wrote %d rows, may write %d", c.last.Rows, rows)
	}
	c.most = max(c.most, c.last.Rows)
}

// single suspends a user, whom that takes the license at once whatever is done with all the others.
func (c *crowd) single(user int) {
	c.t.Helper()
	id := ledgertest.UserRef(user)
	c.drain()
	was := c.records[event.LicenseSource("contoso", share)].users[id].Reason
	c.see(personAs(id, directory.Suspended))
	c.bounded(20)
	c.licensed[id], c.other[id] = false, string(licensing.Suspended)
	want := "revoked " + id + " suspended"
	if was == string(licensing.NotAMember) { // the flip had come to the user
		want = "reason " + id + " suspended"
	}
	if got := c.only(id); got != want {
		c.t.Fatalf("%s was suspended, and what is told is %q", id, got)
	}
}

// only returns the words of the only license event that waits, about that user.
func (c *crowd) only(user string) (words string) {
	c.t.Helper()
	for _, ev := range c.drain() {
		switch {
		case ev.Subject() == user && words == "":
			words = line(c.t, ev)
		case ev.Subject() != "":
			c.t.Fatalf("told beside it: %s", line(c.t, ev))
		}
	}
	return words
}

// drain takes what is told without a look at its schema, which would take longer than all the rest.
func (c *crowd) drain() (fresh []event.Event) {
	c.t.Helper()
	out, err := c.ledger.Outbox(context.Background(), 10*chunkSize)
	if err != nil {
		c.t.Fatal(err)
	}
	ids := make([]int64, 0, len(out))
	for _, o := range out {
		ev, err := event.Decode(o.Body)
		if err != nil {
			c.t.Fatal(err)
		}
		if o.Stream == bus.Licenses {
			c.record(ev)
		}
		fresh, ids = append(fresh, ev), append(ids, o.ID)
	}
	if err := c.ledger.Update(context.Background(), func(tx *ledger.Tx) error { return tx.Sent(ids) }); err != nil {
		c.t.Fatal(err)
	}
	return fresh
}

// work does all that is due, a transaction at a time, and has something happen between two of them.
func (c *crowd) work(rows int64, between func(n int)) (transactions int) {
	c.t.Helper()
	for c.tickOnce() {
		transactions++
		c.bounded(rows)
		if n := len(c.drain()); n > chunkSize+10 {
			c.t.Fatalf("a transaction told %d events", n)
		}
		between(transactions)
	}
	return transactions
}

// held is the only held change.
func (c *crowd) held() ledger.HeldChange {
	c.t.Helper()
	all, err := c.ledger.Reader().HeldChanges(context.Background(), "contoso", true)
	if err != nil || len(all) != 1 {
		c.t.Fatalf("held: %v, %v", all, err)
	}
	return all[0]
}

// list is what was told of the list of the flip that is open.
func (c *crowd) list() map[string]event.HeldUser {
	return c.records[event.LicenseSource("contoso", share)].holds[event.HeldFlip].list
}

// answered approves the list at a revision and returns what became of it.
func (c *crowd) answered(revision int) event.Answered {
	c.t.Helper()
	c.drain()
	id := c.approve(c.held().Ref, revision)
	c.bounded(20)
	for _, ev := range c.drain() {
		if ev.Type() == event.TypeAnswered && event.Cause(ev) == id {
			return dataOf[event.Answered](c.t, ev)
		}
	}
	c.t.Fatal("no answer")
	return event.Answered{}
}

// A hundred thousand users are licensed by default, and a group of two fifths of them comes. The list names each of the others,
// whatever happens to single users meanwhile; it is approved only as it is; and then they are decided in chunks, with progress.
// Single changes pass at every point: nothing that is done for all is done in one transaction.
func TestFlipOfACrowd(t *testing.T) {
	t.Parallel()
	ledgertest.Each(t, func(t *testing.T, b ledgertest.Backend) {
		c := newCrowd(t, b)
		c.fill()
		c.surveyed(t)
		revision := c.moved(t)
		c.carriedOut(t, revision)
		t.Logf("%d users: the largest transaction wrote %d rows", c.users, c.most)
	})
}

// surveyed has the flip listed, while users are suspended of whom the survey has seen some.
func (c *crowd) surveyed(t *testing.T) {
	t.Helper()
	c.clock.Advance(settle)
	c.roundEnded("contoso")
	c.bounded(20)
	c.work(chunkSize+20, func(n int) {
		c.single(n * 7)           // a member
		c.single(c.members + n*3) // no member, whom the survey has yet to come to, or has been at, or who is told on the list
		if n == 3 {
			c.restart()
		}
		if h := c.held(); h.State == ledger.HeldOpen && c.list() != nil && len(c.list()) < h.Revocations {
			if got := c.answered(h.Revision); got.Code != event.CodeListing {
				t.Fatalf("approved while its list is told: %+v", got)
			}
		}
	})
	h := c.held()
	want := c.losers()
	if h.State != ledger.HeldOpen || h.Grants != 0 || h.Revocations != len(want) {
		t.Fatalf("held: %+v, want %d to lose their licenses", h, len(want))
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(c.list()))); diff != "" {
		t.Fatalf("the list (-want +got):\n%s", diff)
	}
	for id, line := range c.list() {
		if line.Licensed || line.Reason != string(licensing.NotAMember) {
			t.Fatalf("on the list %s is %+v", id, line)
		}
	}
}

// losers are the users who are licensed only until the flip.
func (c *crowd) losers() (users []string) {
	for id, licensed := range c.licensed {
		if !licensed && c.other[id] == "" {
			users = append(users, id)
		}
	}
	slices.Sort(users)
	return users
}

// moved has the directory go on while somebody looks at the list: the approval of that list is refused with the difference.
func (c *crowd) moved(t *testing.T) (revision int) {
	t.Helper()
	seen := c.held().Revision
	joins, leaves := ledgertest.UserRef(c.users), ledgertest.UserRef(c.members)
	c.see(member("g", joins, true))
	c.see(member("g", leaves, false))
	c.licensed[joins], c.licensed[leaves] = true, false
	got := c.answered(seen)
	want := event.Answered{
		Command: got.Command, Outcome: event.OutcomeRefused, Code: event.CodeRevision, Message: got.Message,
		Held: c.held().Ref, Revision: seen + 2, Changes: []event.HeldUser{
			{User: joins, Reason: string(licensing.NotAMember)}, {User: leaves, Listed: true, Reason: string(licensing.NotAMember)},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("the list has changed (-want +got):\n%s", diff)
	}
	if h := c.held(); h.State != ledger.HeldOpen || h.InForce.Mode != licensing.AllUsers {
		t.Fatalf("refused, it is %+v", h)
	}
	return got.Revision
}

// carriedOut approves the list as it is and has it carried out, while single users change.
func (c *crowd) carriedOut(t *testing.T, revision int) {
	t.Helper()
	if got := c.answered(revision); got.Outcome != event.OutcomeDone {
		t.Fatalf("approved as it is: %+v", got)
	}
	applied := 0
	chunks := c.work(5*chunkSize, func(n int) {
		h := c.held()
		if want := min(n*chunkSize, c.users); h.Applied != want || h.All != c.users {
			t.Fatalf("after %d chunks %d of %d are applied, want %d of %d", n, h.Applied, h.All, want, c.users)
		}
		applied = h.Applied
		c.single(c.members/2 + n*2) // a member
		c.single(c.users - 1 - 2*n) // who was to lose the license anyway, or has lost it
		if n == c.users/chunkSize*2/3 {
			c.restart()
		}
	})
	if h := c.held(); h.State != ledger.HeldApplied || applied != c.users || chunks != c.users/chunkSize+1 {
		t.Fatalf("after %d chunks %d are applied: %+v", chunks, applied, h)
	}
	c.everybodyDecidedOnce(t)
}

// everybodyDecidedOnce checks who is licensed in the end, that nobody was told twice, and that the ledger says the same.
func (c *crowd) everybodyDecidedOnce(t *testing.T) {
	t.Helper()
	r := c.records[event.LicenseSource("contoso", share)]
	for id, want := range c.licensed {
		reason := string(licensing.NotAMember)
		if want {
			reason = string(licensing.GroupMember)
		} else if c.other[id] != "" {
			reason = c.other[id]
		}
		if got := r.users[id]; got.Licensed != want || got.Reason != reason {
			t.Fatalf("%s is %+v, want %v because %s", id, got, want, reason)
		}
	}
	db := c.raw()
	defer func() { _ = db.Close() }()
	v := verifier{harness: c.harness, db: db, record: r, tenant: "contoso", product: share}
	v.decisions()
	v.recorded()
	v.causes()
	v.holds()
	if open := fmt.Sprint(v.rows(`SELECT CAST(COUNT(*) AS TEXT) FROM history x` + of + `AND x.to_at IS NULL`)); open != fmt.Sprintf("[%d]", c.users) {
		t.Errorf("%s open periods of %d users", open, c.users)
	}
}
