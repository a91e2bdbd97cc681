package demo

import (
	"context"
	"errors"
	"fmt"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/verify"
)

// verify holds what was published of every company to its directory. ErrUntrue names those where they differ, ErrHeld those where a
// change is held.
func (e *ensemble) verify(ctx context.Context) error {
	errs := make([]error, len(e.stories))
	err := e.together(ctx, func(ctx context.Context, i int, s *story) (err error) {
		s.result.Latency = summarize(s.result.Steps)
		s.result.Verification, err = s.verify(ctx)
		if err != nil {
			return fmt.Errorf("verify: %w", err)
		}
		report := s.result.Verification
		s.result.Verified = report.OK()
		switch report.State {
		case verify.Untrue:
			errs[i] = fmt.Errorf("%w: %s: %s", ErrUntrue, s.company.id, report)
		case verify.Parked:
			errs[i] = fmt.Errorf("%w: %s: %s", ErrHeld, s.company.id, report)
		}
		return nil
	})
	return errors.Join(err, errors.Join(errs...))
}

// result is what the story came to so far.
func (e *ensemble) result() Result {
	r := Result{Verified: true}
	for _, s := range e.stories {
		r.Tenants = append(r.Tenants, s.result)
		r.Verified = r.Verified && s.result.Verified
	}
	return r
}

// verify compares the directory with LICENSES and then, if they agree, both copies of that with it.
func (s *story) verify(ctx context.Context) (verify.Report, error) {
	cfg := verify.Config{Tenant: s.company.id, Product: product().ID, Group: s.company.address(), Simulated: s.company.id}
	src := verify.Sources{Directory: s.company.client, Stream: s.client}
	if report, err := verify.Await(ctx, cfg, src, patienceForStream); err != nil || !report.OK() {
		return report, err
	}
	kv, err := s.bus.KeyValue(ctx, bus.BucketEntitlements)
	if err != nil {
		return verify.Report{}, err
	}
	reader, err := ledger.OpenReader(ctx, s.stage.configuration().LedgerAddress())
	if err != nil {
		return verify.Report{}, err
	}
	defer func() { _ = reader.Close() }()
	src.Copies = []verify.Copy{verify.Bucket(kv, cfg), ofLedger(reader, cfg)}
	return verify.Await(ctx, cfg, src, patienceForCopies)
}

// ofLedger is the copy that the worker decides by.
func ofLedger(reader *ledger.Reader, cfg verify.Config) verify.Copy {
	return verify.Copy{Name: "the ledger", Read: func(ctx context.Context) (map[string]verify.Decision, error) {
		held, err := reader.Decisions(ctx, cfg.Tenant, cfg.Product)
		decisions := make(map[string]verify.Decision, len(held))
		for user, d := range held {
			decisions[user] = verify.Decision(d)
		}
		return decisions, err
	}}
}
