package torture

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/command"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/held"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/house"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/torture/verify"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// Deps are what a run is given from outside.
type Deps struct {
	Program string                           // that is run as each part, see RunPart
	Tell    func(format string, args ...any) // what goes on, a line at a time
	// Tamper, where set, changes something behind the system's back when all is at rest, and before it is compared: a test's.
	Tamper func(ctx context.Context, nc *nats.Conn, client *control.Client) error
}

// stage is all that a run has open.
type stage struct {
	cfg       Config
	deps      Deps
	clock     clock.Clock // that the parts go by
	parts     *parts
	control   *control.Client
	nc        *nats.Conn // outlives every NATS server
	bus       *bus.Bus
	companies []*company
	histories map[string]*verify.Timeline // of what the directories held, by tenant
	told      atomic.Int64                // changes that took effect
}

const (
	patienceAtFirst = 2 * time.Minute // until all directories have been read for the first time
	patienceToQuiet = 3 * time.Minute // until what goes on at the end of the load is done
	tellEvery       = 30 * time.Second
)

// Run runs everything. The error is of the run, not of the system: what is wrong with that is in the report.
func Run(ctx context.Context, cfg Config, deps Deps) (report Report, err error) {
	if err := cfg.Check(); err != nil {
		return Report{}, err
	}
	s := &stage{cfg: cfg, deps: deps, companies: companies(cfg), histories: map[string]*verify.Timeline{}}
	for _, c := range s.companies {
		s.histories[c.id] = verify.NewTimeline()
	}
	report.Config = cfg
	defer func() {
		report.Endings = s.close()
		report.judge()
	}()
	if err := s.open(ctx); err != nil {
		return report, err
	}
	if err := s.connect(ctx); err != nil {
		return report, err
	}
	approving, stop := context.WithCancel(ctx)
	var approvers sync.WaitGroup
	defer approvers.Wait()
	defer stop()
	for _, c := range s.companies {
		approver := &held.Approver{Tenant: c.id, Product: product().ID, NATS: s.nc, Clock: s.clock}
		approvers.Go(func() {
			if err := approver.Run(approving); err != nil && approving.Err() == nil {
				deps.Tell("who approves for %s has stopped: %v", c.id, err)
			}
		})
	}
	if err := s.load(ctx, &report); err != nil {
		return report, err
	}
	err = s.judge(ctx, &report)
	return report, err
}

// open starts all parts.
func (s *stage) open(ctx context.Context) (err error) {
	origin := time.Now()
	s.clock = clock.Scaled(origin, s.cfg.Speed)
	if err := os.MkdirAll(s.cfg.Folder, 0o700); err != nil {
		return fmt.Errorf("make a folder for the run: %w", err)
	}
	if s.parts, err = newParts(ctx, s.cfg, s.deps.Program, s.cfg.Folder, origin); err != nil {
		return err
	}
	if err := s.parts.start(ctx); err != nil {
		return err
	}
	return s.reach()
}

// reach connects to the simulator and to NATS.
func (s *stage) reach() (err error) {
	if s.control, err = control.NewWithCA("https://"+s.parts.simulator.address, filepath.Join(s.cfg.Folder, partSimulator, "ca.pem")); err != nil {
		return err
	}
	s.nc, err = nats.Connect("nats://"+s.parts.nats.address, nats.Name("rollcall torture"), nats.RetryOnFailedConnect(true),
		nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))
	if err != nil {
		return fmt.Errorf("connect to NATS: %w", err)
	}
	s.bus, err = bus.New(s.nc, bus.Config{Partitions: partitions})
	return err
}

// connect makes the directories, connects them, and waits until each has been read.
func (s *stage) connect(ctx context.Context) error {
	account, err := house.OpenAccount(filepath.Join(s.cfg.Folder, "account.json"))
	if err != nil {
		return err
	}
	kv, err := s.bus.KeyValue(ctx, bus.BucketTenants)
	if err != nil {
		return err
	}
	registry, commands := tenant.NewRegistry(kv), command.New(s.bus, s.clock)
	for n, c := range s.companies {
		made, err := c.make(ctx, s.control, account, s.cfg.Seed+uint64(n))
		if err != nil {
			return err
		}
		record, err := c.record(made, account, "https://"+s.parts.simulator.address, s.cfg.Folder)
		if err == nil {
			err = registry.Put(ctx, record)
		}
		if err != nil {
			return fmt.Errorf("connect %s: %w", c.id, err)
		}
		if c.holds {
			continue
		}
		if _, err := commands.Do(ctx, c.id, "", neverHold()); err != nil {
			return fmt.Errorf("have %s hold nothing: %w", c.id, err)
		}
	}
	comparison, err := s.openComparison(ctx)
	if err != nil {
		return err
	}
	defer comparison.close()
	for _, c := range s.companies {
		report, err := comparison.compare(ctx, c, patienceAtFirst)
		if err != nil {
			return fmt.Errorf("compare %s: %w", c.id, err)
		}
		if !report.OK() {
			return fmt.Errorf("%s is not as its directory before anything has gone wrong: %s", c.id, report)
		}
	}
	s.deps.Tell("%d directories are connected and read", len(s.companies))
	return nil
}

// neverHold has what changes many licenses take effect at once.
func neverHold() event.SettingsRequested {
	never := 0
	return event.SettingsRequested{Hold: &event.HoldRequest{Flips: event.FlipsApply, Share: &never}, By: held.Somebody}
}

// load has the directories change, things go wrong, and parts die, for as long as the run is to take.
func (s *stage) load(ctx context.Context, report *Report) error {
	if err := s.control.PutSettings(ctx, settings()); err != nil {
		return fmt.Errorf("set the simulator up: %w", err)
	}
	if err := s.control.PutPlan(ctx, plan(s.cfg)); err != nil {
		return fmt.Errorf("put the plan of faults in force: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	began := time.Now()
	errs := make(chan error, len(s.companies)+1)
	var working sync.WaitGroup
	for n, c := range s.companies {
		story := newStory(c, s.control, s.cfg.Rate/float64(len(s.companies)), s.cfg.Seed, uint64(n), &s.told)
		working.Go(func() { errs <- story.tell(ctx) })
	}
	killer := newKiller(s.cfg, s.parts, s.bus)
	if s.cfg.Kill {
		working.Go(func() { errs <- killer.run(ctx) })
	}
	err := s.watch(ctx, began, killer, errs)
	report.Took, report.Changes = time.Since(began), s.told.Load()
	cancel()
	working.Wait()
	for len(errs) > 0 {
		err = errors.Join(err, <-errs)
	}
	report.Kills, report.Idle = killer.counts, killer.idle
	return err
}

// watch waits for the end of the load, and tells how it goes.
func (s *stage) watch(ctx context.Context, began time.Time, k *killer, errs <-chan error) error {
	end, tell := time.After(s.cfg.Duration), time.NewTicker(tellEvery)
	defer tell.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-errs:
			return err
		case <-end:
			return nil
		case <-tell.C:
			if err := s.remember(ctx); err != nil {
				return err
			}
			took, told := time.Since(began), s.told.Load()
			s.deps.Tell("%s: %d changes, %.1f a second; %d kills", took.Round(time.Second), told, float64(told)/took.Seconds(), k.total.Load())
		}
	}
}

// remember reads on in what the directories went through: the simulator keeps the latest of it only.
func (s *stage) remember(ctx context.Context) error {
	for _, c := range s.companies {
		if err := s.histories[c.id].Read(ctx, s.control, c.id); err != nil {
			return err
		}
	}
	return nil
}

// judge ends all faults, waits until nothing moves, and compares. No directory is read in full meanwhile because it is time
// to: that would heal what it is looking for.
func (s *stage) judge(ctx context.Context, report *Report) (err error) {
	if report.Faults, err = endFaults(ctx, s.control); err != nil {
		return err
	}
	stopped := time.Now()
	if s.cfg.FullReads() {
		s.parts.readInFullNoMore()
		for _, p := range s.parts.receivers() {
			p.end()
			if err := p.start(); err != nil {
				return err
			}
		}
	}
	for _, p := range s.parts.services {
		if err := p.awaitReady(ctx); err != nil {
			report.Wrong = append(report.Wrong, err.Error())
			return nil
		}
	}
	info, err := s.bus.StreamInfo(ctx, bus.LedgerIn)
	if err != nil {
		return err
	}
	s.deps.Tell("the load has ended; waiting until nothing moves")
	if err := awaitQuiet(ctx, s.bus, s.companies, s.clock.Now().Add(doubt), info.State.LastSeq, patienceToQuiet); err != nil {
		report.Wrong = append(report.Wrong, err.Error())
	}
	if s.deps.Tamper != nil {
		if err := s.deps.Tamper(ctx, s.nc, s.control); err != nil {
			return err
		}
	}
	return s.compareAll(ctx, report, stopped)
}

// compareAll compares every tenant, and then looks into the streams.
func (s *stage) compareAll(ctx context.Context, report *Report, stopped time.Time) error {
	comparison, err := s.openComparison(ctx)
	if err != nil {
		return err
	}
	defer comparison.close()
	limit := time.Now().Add(s.cfg.Patience)
	for _, c := range s.companies {
		compared, err := comparison.compare(ctx, c, time.Until(limit))
		if err != nil {
			return fmt.Errorf("compare %s: %w", c.id, err)
		}
		tenant := Tenant{ID: c.id, Provider: string(c.provider), Took: time.Since(stopped), Report: compared}
		if tenant.Revocations, err = comparison.judge(ctx, c); err != nil {
			return fmt.Errorf("judge the revocations of %s: %w", c.id, err)
		}
		report.Tenants = append(report.Tenants, tenant)
	}
	r, err := readRecord(ctx, s.bus)
	if err != nil {
		return err
	}
	report.take(r)
	return nil
}

// close ends everything, and returns what had ended by itself before.
func (s *stage) close() (endings []string) {
	if s.nc != nil {
		s.nc.Close()
	}
	if s.parts != nil {
		endings = s.parts.stop()
	}
	return endings
}

// end asks a part to end, as an operator's machine does, and kills it where it does not.
func (p *part) end() {
	p.mu.Lock()
	life := p.life
	p.killed = life
	p.mu.Unlock()
	_ = life.Signal(syscall.SIGTERM)
	select {
	case <-life.Exited():
	case <-time.After(endsWithin):
		life.Kill()
	}
}

const endsWithin = 10 * time.Second
