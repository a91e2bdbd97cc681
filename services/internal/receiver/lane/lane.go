// Package lane reads one tenant's directory and tells LEDGER_IN what it saw. All of a tenant's requests go out one at a
// time and in one goroutine, each with a stamp taken just before it, so that what is read later is what is true later.
//
// A lane does four kinds of work. A round reads what has changed since the last one: when a hint, a poll or a command asks
// for it. A read takes everything from the beginning, beside the cursors that stand, with rounds between its pages. Proof
// reads single things again before anything may be removed. Where no feed tells of members, the lists of watched groups are
// read again and again, and compared; where feeds only name what has changed, a round reads that too (see
// receiver.Traits). What is published is only ever what a request has shown; a
// cursor is stored only when all that lies before it is durable.
package lane

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/state"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// Config says when a lane reads by itself.
type Config struct {
	Poll   time.Duration // between two rounds that nothing asked for; 0: none
	List   time.Duration // between the begins of two lists of a group's members, where no feed tells of them; default 5 s
	Full   time.Duration // between the begins of two complete reads; 0: only the first
	Vanish time.Duration // between the two reads that must both say that a watched group is gone; default 60 s
	// PerMinute is how many requests a minute may be sent; default is what the provider grants (Traits.PerMinute).
	PerMinute int
}

// Publisher makes an event durable before it returns nil.
type Publisher interface {
	Publish(ctx context.Context, subject string, ev event.Event, opts ...bus.PublishOption) (bus.Ack, error)
}

// Stamps takes the next stamp of a tenant. All of them have one epoch, which no lane of the tenant had before this owner's.
type Stamps interface {
	Epoch() int64
	Next() directory.Stamp
}

// Watch is told what becomes of work on the provider (see health.Watch).
type Watch interface {
	Worked(kind string, err error)
	Showed(kind receiver.FeedKind, page receiver.Page)
}

// Deps are what a lane works with. All but App and Watch are needed.
type Deps struct {
	Tenant     tenant.Tenant
	Directory  receiver.Directory
	Traits     receiver.Traits // how the directory can be followed
	Connection string          // see state.Feeds
	Stamps     Stamps
	Store      *state.Store
	Publisher  Publisher
	Logger     *slog.Logger
	Clock      clock.Clock
	Metrics    *Metrics
	App        *Budget // of all tenants that are read by the same application; nil: without bounds
	Watch      Watch   // nil: nobody
}

// Lane is one tenant's. Hint, Command and Round may be called at any time; the rest is Run's.
type Lane struct {
	cfg  Config
	deps Deps
	id   string // of the tenant

	inbox inbox

	feeds     state.Feeds
	saved     state.Feeds // as stored at revision
	revision  uint64
	loaded    bool
	addresses []string // of the tenant's provisioning groups, sorted

	pollAt  time.Time
	lastRun time.Time // begin of the last good round or complete read
	freshAt time.Time // when since when the tenant is fresh was last stored
	// roundAfter is when the next round may begin while the budget's reserve is not there: half of it is for other work.
	roundAfter time.Time
	expired    map[receiver.FeedKind]bool
	unseen     unseen
	gates      map[work]*gate
	had        map[work]bool // kinds that others go before, as these had their turn

	readingMembers bool                 // members of groups are being read from the beginning
	tooMany        int                  // nested groups that are not followed, see maxNested
	checkGates     map[string]*gate     // of groups that are said to be gone
	unasked        map[string]int       // reads in a row that failed, of groups that seem to have left others
	empty          map[string]time.Time // of groups that had nobody, by the list of a proof: when it first said so, see emptied

	// Where no feed tells of members (see Traits.MemberFeeds):
	rolls     map[string]*roll         // of the watched groups
	every     map[string]time.Duration // see intervals; nil: not known
	listGates map[string]*gate
	foreign   map[string]struct{} // nested groups of other directories, which nobody shows us
	wholeOnly bool                // the provider tells nothing of single memberships
	shownAt   time.Time           // when the state of the lists was last stored

	// Where changes are only named (see Traits.Journals):
	echoes echoes
	gone   gone
	lookAt time.Time // when to look provisioning addresses up again

	budget *Budget
}

// New returns a lane that has read nothing yet.
func New(cfg Config, deps Deps) *Lane {
	if cfg.Vanish <= 0 {
		cfg.Vanish = time.Minute
	}
	if cfg.List <= 0 {
		cfg.List = 5 * time.Second
	}
	deps.Logger = deps.Logger.With("tenant", deps.Tenant.ID)
	return &Lane{
		cfg: cfg, deps: deps, id: deps.Tenant.ID, addresses: groupAddresses(deps.Tenant),
		inbox: inbox{wake: make(chan struct{}, 1)}, expired: map[receiver.FeedKind]bool{}, unseen: unseen{}, gates: newGates(),
		had: map[work]bool{}, rolls: map[string]*roll{}, listGates: map[string]*gate{}, foreign: map[string]struct{}{},
		checkGates: map[string]*gate{}, unasked: map[string]int{}, empty: map[string]time.Time{}, echoes: echoes{}, gone: gone{}, budget: NewBudget(cmp.Or(cfg.PerMinute, deps.Traits.PerMinute)),
	}
}

// Run works until ctx ends. A failure is logged, counted and tried again later: it never ends a lane.
func (l *Lane) Run(ctx context.Context) {
	for ctx.Err() == nil {
		now := l.deps.Clock.Now()
		next, at := l.next(now)
		if at.After(now) || next == idle {
			l.wait(ctx, at)
			continue
		}
		l.do(ctx, next)
	}
}

// wait returns at the time, or earlier when something has come in. The zero time never comes.
func (l *Lane) wait(ctx context.Context, at time.Time) {
	var due <-chan time.Time
	if !at.IsZero() {
		timer := l.deps.Clock.NewTimer(at.Sub(l.deps.Clock.Now()))
		defer timer.Stop()
		due = timer.C()
	}
	select {
	case <-ctx.Done():
	case <-due:
	case <-l.inbox.wake:
	}
}

// inbox is what came from outside and is not done yet.
type inbox struct {
	wake chan struct{}

	mu       sync.Mutex
	mark     *state.Mark
	begun    bool              // a round began after the mark: it needs no other
	hinted   map[string]string // resources, by id
	crowded  bool              // more was hinted than is kept in hinted
	commands []state.Command
	revision uint64 // of the last command that came
	round    bool   // a round is wanted that nothing durable asks for
}

func (b *inbox) signal() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}
