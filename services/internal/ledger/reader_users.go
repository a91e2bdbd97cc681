package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/search"
)

// ErrNoPage says that a page is asked for behind something that is no UsersPage.Next of the same list.
var ErrNoPage = errors.New("the list has no such page")

// UsersQuery says which users of a tenant are listed, with the decisions about them for a product, and in which order.
//
// Listed are those who are in the directory or licensed, as far as Search asks for them. Who is deleted and not licensed is
// listed where Search has is:deleted, reason:deleted or id: in it.
type UsersQuery struct {
	Tenant, Product string
	Search          search.Node // nil: all
	Sort            UsersSort
	Descending      bool
	// At lists the decisions as they were at a moment: who was licensed, why and since when. What the directory says of a
	// user, and who waits, is as it is known now. Zero is now.
	At time.Time
	// Counted asks for UsersPage.Count. What an index counts is counted to 10,000; beyond that a bounded number of users is
	// looked at.
	Counted bool
}

// UsersSort is an order of users. Those who are alike come in the order in which the mirror came to know them.
type UsersSort string

// The orders. Whoever has no value comes last, in both directions; of SortLicensed, first or last. Of SortName and SortAddress,
// whose name or address begins with what is searched for comes before those who are found by something else.
const (
	SortName     UsersSort = "name"     // without regard to case; the default
	SortAddress  UsersSort = "address"  // the first one
	SortStatus   UsersSort = "status"   // of one's own users, and then of guests
	SortLicensed UsersSort = "licensed" // the licensed, those who no longer are and those who never were; among them by reason, unless At is set
	SortSince    UsersSort = "since"    // of the licensed, and then of those who no longer are. With At it is SortChange
	SortChange   UsersSort = "change"   // when the decision became what it is
)

// UserRow is one user of a list.
type UserRow struct {
	ID        string // the provider's
	Name      string
	Addresses []string // the sign-in name first
	Status    directory.Status
	Guest     bool

	Licensed bool
	Since    time.Time // when Licensed took this value; zero for one who was never licensed
	// Reason is why. Of one who was never licensed it is what the rules say, as the ledger keeps nothing of that; with
	// UsersQuery.At it is empty then.
	Reason    string
	Path      []PathGroup
	Changed   time.Time // when the decision became what it is; zero for one who was never licensed
	Cause     string    // id of the event that caused that
	Sequence  uint64    // of the license event that says so
	Activated time.Time // when the product reported a first sign-in; zero: it has not

	path []int64
}

// ReasonNotDecided is the reason of one for whom the rules say licensed, and nobody has decided yet.
const ReasonNotDecided = "not-decided-yet"

// UsersPage is one page of a list.
type UsersPage struct {
	Users []UserRow
	Next  string // for the page behind this one; empty: there is none
	// Cut: the page is shorter than it was to be, as looking further would have taken too long. Next goes on from there.
	Cut bool
	// Unknown are addresses of groups that Search has in it and no group has. Unread are those of groups whose members
	// the mirror does not keep, so that nobody is found by them: all but provisioning groups and those inside them.
	Unknown, Unread []string
	Count           UsersCount // of the whole list, where UsersQuery.Counted asks for it
}

// UsersCount is how many users a list has: exactly so many or, with More, at least so many.
type UsersCount struct {
	Users int
	More  bool
}

// Users returns up to limit users of a list, behind the page whose Next is given; with an empty one, the first. It looks at a
// bounded number of users, however many there are, and a list that changes meanwhile shows nobody twice who stands still in it.
func (r *Reader) Users(ctx context.Context, q UsersQuery, after string, limit int) (page UsersPage, err error) {
	return r.usersPage(ctx, q, after, max(limit, 1), bounds)
}

func (r *Reader) usersPage(ctx context.Context, q UsersQuery, after string, limit int, b userBounds) (page UsersPage, err error) {
	err = r.snapshot(ctx, func(s snapshot) error {
		l, err := r.usersList(s, q, b)
		if err != nil {
			return err
		}
		if page, err = l.page(after, limit); err == nil && q.Counted {
			page.Count, err = l.count()
		}
		return err
	})
	if err != nil {
		return UsersPage{}, err
	}
	groups := map[int64]PathGroup{}
	for i := range page.Users {
		u := &page.Users[i]
		if u.Path, err = r.pathGroups(ctx, u.path, groups); err != nil {
			return UsersPage{}, err
		}
	}
	return page, nil
}

// EachUser calls each for every user of a list, in its order. It reads page after page and holds no more than one, nor
// anything of the database between two: a reader that is slow to take them holds up nobody.
func (r *Reader) EachUser(ctx context.Context, q UsersQuery, each func(UserRow) error) error {
	return r.eachUser(ctx, q, usersAtOnce, patient, each)
}

// usersAtOnce is how many users EachUser reads at a time.
const usersAtOnce = 2_000

func (r *Reader) eachUser(ctx context.Context, q UsersQuery, size int, b userBounds, each func(UserRow) error) error {
	for after, more := "", true; more; {
		page, err := r.usersPage(ctx, q, after, size, b)
		if err != nil {
			return err
		}
		for _, u := range page.Users {
			if err := each(u); err != nil {
				return err
			}
		}
		after, more = page.Next, page.Next != ""
	}
	return nil
}

// userBounds are how far a list looks.
type userBounds struct {
	most  int // a count ends there, of what an index counts
	set   int // up to so many users that an index finds are looked at one by one and sorted
	scan  int // of more, so many are walked in the order of the list for one page, or looked at for a count
	first int // of which so many at first, and then up to four times as many each time
}

// bounds are those of a page that somebody waits for: to look at one user takes up to 20 us. patient are those of a list that is
// read to its end.
var (
	bounds  = userBounds{most: 10_000, set: 3_000, scan: 2_000, first: 200}
	patient = userBounds{set: 10_000, scan: 20_000, first: usersAtOnce}
)
