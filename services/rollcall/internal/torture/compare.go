package torture

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/license"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/torture/verify"
	mirror "github.com/rollcall-hq/rollcall/services/rollcall/internal/verify"
)

// Tenant is what came of one directory.
type Tenant struct {
	ID       string        `json:"id"`
	Provider string        `json:"provider"`
	Took     time.Duration `json:"took"` // by the wall, from the last change until all agreed
	Report   mirror.Report `json:"report"`
	// Revocations says whether each was justified when it was told.
	Revocations verify.Report `json:"revocations"`
}

// comparison holds what is published to the directories, and the copies to what is published.
type comparison struct {
	*stage
	client *license.Client
	ledger *ledger.Reader
}

func (s *stage) openComparison(ctx context.Context) (*comparison, error) {
	client, err := license.New(s.nc)
	if err != nil {
		return nil, err
	}
	reader, err := ledger.OpenReader(ctx, s.parts.ledger())
	if err != nil {
		return nil, fmt.Errorf("open the worker's ledger: %w", err)
	}
	return &comparison{stage: s, client: client, ledger: reader}, nil
}

func (c *comparison) close() { _ = c.ledger.Close() }

// compare waits until directory, LICENSES, ledger and bucket say the same of a tenant, or patience is up.
func (c *comparison) compare(ctx context.Context, of *company, patience time.Duration) (mirror.Report, error) {
	kv, err := c.bus.KeyValue(ctx, bus.BucketEntitlements)
	if err != nil {
		return mirror.Report{}, err
	}
	cfg := mirror.Config{Tenant: of.id, Product: product().ID, Group: of.group(), Simulated: of.id}
	return mirror.Await(ctx, cfg, mirror.Sources{
		Directory: c.control, Stream: c.client, Copies: []mirror.Copy{mirror.Bucket(kv, cfg), c.ofLedger(cfg)},
	}, patience)
}

// judge holds every revocation of a tenant against what its directory was when it was told.
func (c *comparison) judge(ctx context.Context, of *company) (verify.Report, error) {
	if err := c.histories[of.id].Read(ctx, c.control, of.id); err != nil {
		return verify.Report{}, err
	}
	record, err := verify.ReadRecord(ctx, c.bus, of.id)
	if err != nil {
		return verify.Report{}, err
	}
	return verify.Revocations(verify.Config{Product: product().ID, Address: of.group()}, c.histories[of.id], record), nil
}

// ofLedger is the copy that the worker decides by.
func (c *comparison) ofLedger(cfg mirror.Config) mirror.Copy {
	return mirror.Copy{Name: "the ledger", Read: func(ctx context.Context) (map[string]mirror.Decision, error) {
		held, err := c.ledger.Decisions(ctx, cfg.Tenant, cfg.Product)
		if errors.Is(err, ledger.ErrNoTenant) {
			err = nil // the worker has heard nothing of it yet
		}
		decisions := make(map[string]mirror.Decision, len(held))
		for user, d := range held {
			decisions[user] = mirror.Decision(d)
		}
		return decisions, err
	}}
}

// record is what the streams tell of a run.
type record struct {
	Licenses    []event.Event
	Events      int // of LICENSES
	Revocations int
	FullReads   int // after the first of each tenant
	DeadLetters int
	Held        []Approval
	Wrong       []string
}

// Approval is a held change that was approved.
type Approval struct {
	Tenant      string `json:"tenant"`
	Held        string `json:"held"`
	Kind        string `json:"kind"`
	Revision    int    `json:"revision"`
	Grants      int    `json:"grants"`
	Revocations int    `json:"revocations"`
}

// readRecord reads all streams to their ends.
func readRecord(ctx context.Context, b *bus.Bus) (*record, error) {
	r := &record{}
	last := map[string]uint64{}
	err := b.Read(ctx, bus.ReadSpec{Stream: bus.Licenses}, func(m bus.Message) error { return r.license(m, last) })
	if err != nil {
		return nil, err
	}
	read := map[string]bool{}
	err = b.Read(ctx, bus.ReadSpec{Stream: bus.LedgerIn, Filters: []string{"directory.*.*.snapshot"}}, func(m bus.Message) error {
		if m.Fault != nil {
			return nil
		}
		ended, err := event.Data[event.SnapshotEnded](m.Event)
		if tenant := event.Tenant(m.Event); err == nil && ended.Users && ended.Groups { // others are of a few groups
			if read[tenant] {
				r.FullReads++
			}
			read[tenant] = true
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	letters, err := b.StreamInfo(ctx, bus.DeadLetters)
	if err != nil {
		return nil, err
	}
	if r.DeadLetters = int(letters.State.Msgs); r.DeadLetters > 0 { //nolint:gosec // G115: a number of messages
		r.Wrong = append(r.Wrong, fmt.Sprintf("%d dead letters", r.DeadLetters))
	}
	return r, nil
}

// license takes a message of LICENSES, which must be the next of its source.
func (r *record) license(m bus.Message, last map[string]uint64) error {
	r.Events++
	if m.Fault != nil {
		r.Wrong = append(r.Wrong, fmt.Sprintf("message %d of LICENSES is no event: %v", m.Sequence, m.Fault))
		return nil
	}
	n, err := event.Sequence(m.Event)
	if source := m.Event.Source(); err != nil || n != last[source]+1 {
		r.Wrong = append(r.Wrong, fmt.Sprintf("%s: event %d follows %d", source, n, last[source]))
	}
	last[m.Event.Source()] = n
	r.Licenses = append(r.Licenses, m.Event)
	switch m.Event.Type() {
	case event.TypeLicenseRevoked:
		r.Revocations++
	case event.TypeHeldClosed:
		data, err := event.Data[event.HeldClosed](m.Event)
		if err != nil {
			return err
		}
		if data.Outcome == event.HeldApproved {
			r.Held = append(r.Held, Approval{
				Tenant: data.Tenant, Held: data.Held, Kind: data.Kind, Revision: data.Revision, Grants: data.Grants, Revocations: data.Revocations,
			})
		}
	}
	return nil
}
