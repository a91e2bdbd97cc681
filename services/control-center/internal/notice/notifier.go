package notice

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/license"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
)

const (
	// lookEvery is after how long a change of the file is noticed.
	lookEvery = 10 * time.Second
	// stale is how old a notice may be: what could not be delivered by then is given up, and what a destination finds that comes
	// back after a long time is not sent.
	stale     = 72 * time.Hour
	lastRetry = 5 * time.Minute
)

// Config says whom to tell.
type Config struct {
	File      string // of destinations, see Parse
	PublicURL string // of the Control Center, for links
	// Retry is after how long a delivery that failed is tried again, doubled with each time up to 5 min; 5 s.
	Retry time.Duration
}

// Deps are what a Notifier works with; all are needed.
type Deps struct {
	Bus     *bus.Bus
	Logger  *slog.Logger
	Clock   clock.Clock
	Metrics prometheus.Registerer
}

// Notifier sends notices.
type Notifier struct {
	cfg  Config
	deps Deps
	sent *prometheus.CounterVec

	mu      sync.Mutex
	current Destinations
	read    os.FileInfo
}

// New reads the file of destinations. It sends nothing before Run.
func New(cfg Config, deps Deps) (*Notifier, error) {
	if cfg.Retry <= 0 {
		cfg.Retry = 5 * time.Second
	}
	n := &Notifier{cfg: cfg, deps: deps, sent: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "rollcall_notices_total", Help: "Notices by kind of destination and what became of them: sent, failed, given-up.",
	}, []string{"kind", "outcome"})}
	if err := deps.Metrics.Register(n.sent); err != nil {
		return nil, fmt.Errorf("register the metrics of notices: %w", err)
	}
	_, err := n.look()
	return n, err
}

// look reads the file where it has changed, and reports whether it did.
func (n *Notifier) look() (changed bool, err error) {
	info, err := os.Stat(n.cfg.File)
	if err != nil {
		return false, fmt.Errorf("read who is told what happens: %w", err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.read != nil && os.SameFile(info, n.read) && info.ModTime().Equal(n.read.ModTime()) && info.Size() == n.read.Size() {
		return false, nil
	}
	d, err := Load(n.cfg.File)
	if err != nil {
		return false, err
	}
	n.current, n.read = d, info
	return true, nil
}

// sender brings a notice to one destination. errRefused says that it is of no use to try again.
type sender interface {
	send(ctx context.Context, n Notice) error
}

// destination is one webhook or address of one tenant.
type destination struct {
	tenant, kind string
	id           string // its position on the stream has this name
	to           sender
}

// destinations are those of a tenant, or of all for "".
func (n *Notifier) destinations(tenant string) (all []destination) {
	n.mu.Lock()
	defer n.mu.Unlock()
	client := newClient()
	for _, t := range slices.Sorted(maps.Keys(n.current.Tenants)) {
		if tenant != "" && t != tenant {
			continue
		}
		of := n.current.Tenants[t]
		for _, w := range of.Webhooks {
			all = append(all, destination{t, "webhook", position(t, "webhook", w.URL), webhook{w, client, n.deps.Clock.Now}})
		}
		for _, to := range of.Email {
			all = append(all, destination{t, "email", position(t, "email", to), email{n.current.SMTP, to}})
		}
	}
	return all
}

// position is the name of a destination's position. It shows nothing of the address.
func position(tenant, kind, to string) string {
	sum := sha256.Sum256([]byte(tenant + " " + kind + " " + to))
	return "notice-" + hex.EncodeToString(sum[:12])
}

// Run sends notices until ctx ends. A change of the file takes effect without a restart; one that is wrong is logged, and
// what was there stays.
func (n *Notifier) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		n.round(ctx)
	}
	return nil
}

// round sends to the destinations of the file as it is, until it changes.
func (n *Notifier) round(ctx context.Context) {
	ctx, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer stop()
	for _, d := range n.destinations("") {
		group.Go(func() { n.follow(ctx, d) })
	}
	said := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.deps.Clock.After(lookEvery):
		}
		changed, err := n.look()
		switch {
		case changed:
			return
		case err == nil:
			said = ""
		case err.Error() != said:
			said = err.Error()
			n.deps.Logger.ErrorContext(ctx, "who is told what happens stays as it was", "error", err)
		}
	}
}

// follow sends to one destination until ctx ends.
func (n *Notifier) follow(ctx context.Context, d destination) {
	logger := n.deps.Logger.With("tenant", d.tenant, "kind", d.kind, "destination", d.id)
	s := &sending{Notifier: n, destination: d, logger: logger, told: map[string]string{}}
	for ctx.Err() == nil {
		err := n.deps.Bus.Consume(ctx, bus.Consumer{
			Stream: bus.Licenses, Durable: d.id, StartNew: true, Undecodable: true,
			Filters: []string{"license." + d.tenant + ".*.held", "license." + d.tenant + ".*.seats", "license." + d.tenant + ".*.connection"},
		}, s.take)
		if err != nil && ctx.Err() == nil {
			logger.WarnContext(ctx, "notices cannot be followed", "error", err)
			select {
			case <-ctx.Done():
			case <-n.deps.Clock.After(n.cfg.Retry):
			}
		}
	}
}

// Destinations is how many are told what happens to a tenant.
func (n *Notifier) Destinations(tenant string) int { return len(n.destinations(tenant)) }

// Test sends a notice to each destination of a tenant, and returns how many there are and how many have not taken it. The log
// says why.
func (n *Notifier) Test(ctx context.Context, tenant, id string) (all, failed int) {
	data, _ := json.Marshal(map[string]string{"tenant": tenant}) // of strings: nothing can go wrong
	test := Notice{
		ID: id, Type: TypeTest, Tenant: tenant, Time: n.deps.Clock.Now(), Data: data,
		Subject: tenant + ": this is a test", Text: "Somebody has asked for a test of Rollcall's notices. There is nothing to do.\n\n" + n.cfg.PublicURL + "/tenants/" + tenant + "\n",
	}
	for _, d := range n.destinations(tenant) {
		all++
		if err := d.to.send(ctx, test); err != nil {
			failed++
			n.deps.Logger.WarnContext(ctx, "a test was not delivered", "tenant", tenant, "kind", d.kind, "destination", d.id, "error", err)
		}
	}
	return all, failed
}

// sending is what is under way to one destination.
type sending struct {
	*Notifier
	destination
	logger *slog.Logger
	failed int               // tries of the notice in hand
	told   map[string]string // by what it is about: what was told of it last
}

// take brings one event of the stream to the destination, or says when to try again.
func (s *sending) take(ctx context.Context, m bus.Message) error {
	e, err := license.Decode(m.Body)
	if err != nil || e.Tenant != s.tenant {
		return nil //nolint:nilerr // no event of ours
	}
	n, tell, err := of(e, s.cfg.PublicURL)
	if err != nil {
		s.logger.WarnContext(ctx, "an event cannot be told of", "event", e.ID, "error", err)
		return nil
	}
	about, what := repeats(n)
	if !tell || s.told[about] == what && what != "" {
		return nil
	}
	if s.deps.Clock.Now().Sub(n.Time) > stale {
		s.over(ctx, n, "given-up", errors.New("it is too old"))
		return nil
	}
	switch err := s.to.send(ctx, n); {
	case err == nil:
		s.told[about] = what
		s.over(ctx, n, "sent", nil)
		return nil
	case ctx.Err() != nil:
		return bus.RetryAfter(0, ctx.Err())
	case errors.Is(err, errRefused):
		s.over(ctx, n, "given-up", err)
		return nil
	default:
		s.sent.WithLabelValues(s.kind, "failed").Inc()
		wait := min(s.cfg.Retry<<min(s.failed, 10), lastRetry)
		s.failed++
		s.logger.WarnContext(ctx, "a notice was not delivered", "event", n.ID, "again_in", wait, "error", err)
		return bus.RetryAfter(wait, err)
	}
}

// over ends what is to be done for a notice.
func (s *sending) over(ctx context.Context, n Notice, outcome string, err error) {
	s.failed = 0
	s.sent.WithLabelValues(s.kind, outcome).Inc()
	if err != nil {
		s.logger.ErrorContext(ctx, "a notice is given up", "event", n.ID, "error", err)
		return
	}
	s.logger.InfoContext(ctx, "a notice was delivered", "event", n.ID, "type", n.Type)
}

// repeats says what a notice is about, and what it tells of it: an event is told of each product of a tenant that tells the
// same, and of a connection, which they share.
func repeats(n Notice) (about, what string) {
	var d struct {
		Product, Held, Class, Check, Since, Expires, Was string
		Days                                             int
	}
	if json.Unmarshal(n.Data, &d) != nil {
		return "", ""
	}
	if d.Held != "" {
		return d.Product + " " + d.Held, n.Type
	}
	if n.Type == event.TypeCredentialExpiring || n.Type == event.TypeCredentialReplaced {
		return "credential", fmt.Sprintln(n.Type, d.Expires, d.Days, d.Was)
	}
	if d.Class != "" {
		return "connection", n.Type + " " + d.Class + " " + d.Check + " " + d.Since
	}
	return "", ""
}
