package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/license"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/command"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/held"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// groupName is the display name of the story's group.
const groupName = "Secure Share seats"

// story plays changes in the simulated directory of one company and listens to what comes of each.
type story struct {
	company  company
	stage    *stage
	bus      *bus.Bus
	client   *license.Client
	commands *command.Client
	audience *audience
	mirror   *mirror
	started  time.Time // of the process

	tenant      tenant.Tenant // as it is connected
	fresh       bool          // for the first time
	cast        cast
	filled      control.Change // the last addition to the group
	filledMark  int
	waiting     held.Change // that was shown to the admin
	lost        []string    // members who were taken out by accident
	renamed     control.User
	renamedMark int
	served      map[string]control.Counter // before the changes of single users
	result      Tenant
}

// listen begins to follow the company's streams, until ctx ends.
func (s *story) listen(ctx context.Context, nc *nats.Conn) (err error) {
	if s.bus, err = bus.New(nc, bus.Config{}); err != nil {
		return err
	}
	if s.client, err = license.New(nc); err != nil {
		return err
	}
	s.commands = command.New(s.bus, s.stage.clock)
	s.audience, s.mirror = newAudience(), newMirror(s.bus, s.company.id)
	last, err := s.mirror.catchUp(ctx)
	if err != nil {
		return err
	}
	logger := s.stage.logger.With("tenant", s.company.id)
	go func() {
		options := license.Options{Tenant: s.company.id, Product: product().ID, Follow: true}
		if err := s.client.Replay(ctx, options, s.audience.hear); err != nil && ctx.Err() == nil {
			logger.Error("the audience has left", "error", err)
		}
	}()
	go func() {
		if err := s.mirror.follow(ctx, last); err != nil && ctx.Err() == nil {
			logger.Error("the mirror is not followed", "error", err)
		}
	}()
	return nil
}

// connect makes the simulated directory, where it is not there yet, and connects it.
func (s *story) connect(ctx context.Context) (err error) {
	s.result = Tenant{Tenant: s.company.id, Provider: s.company.kind}
	if s.tenant, err = s.company.found(ctx, s.stage.dir, s.stage.cfg.Users); err != nil {
		return err
	}
	sim := s.stage.simulator
	s.fresh, err = s.company.connect(ctx, s.stage.process.Tenants(), &s.tenant, sim.URL(), sim.CAFile())
	return err
}

// add notes a step down and returns what is told of it.
func (s *story) add(step Step) cell {
	s.result.Steps = append(s.result.Steps, step)
	return step.cell()
}

// single plays one change of one user and waits for the user's event.
func (s *story) single(ctx context.Context, name string, u control.User, eventType string, change func() (control.Change, error)) (cell, error) {
	mark := s.audience.mark()
	made, err := change()
	if err != nil {
		return cell{}, fmt.Errorf("%s: %w", name, err)
	}
	h, err := s.audience.await(ctx, mark, func(h heard) bool { return h.license.User == u.ID })
	if err == nil && h.license.Reason == string(licensing.Held) {
		h, err = s.allow(ctx, mark, u)
	}
	if err != nil {
		return cell{}, fmt.Errorf("%s: %w", name, err)
	}
	if h.eventType != eventType {
		return cell{}, fmt.Errorf("%s: the event is %s with reason %s, want %s", name, h.eventType, h.license.Reason, eventType)
	}
	step := Step{Change: name, User: u.ID, Address: u.Address, EventType: h.eventType}
	if err := s.measure(ctx, &step, made, h.at); err != nil {
		return cell{}, err
	}
	return s.add(step), nil
}

// measure fills in how long it took from the notification of a change to the given time.
func (s *story) measure(ctx context.Context, step *Step, made control.Change, until time.Time) error {
	step.Measured, step.LatencyMS = fromChange, ms(until.Sub(made.At))
	for range 40 { // the simulator notes a POST down when it was answered, which may be after the event has arrived
		sent, found, err := s.company.notified(ctx, made.Version)
		if err != nil {
			return err
		}
		if found {
			if until.After(sent.At) {
				step.Measured, step.LatencyMS = fromNotification, ms(until.Sub(sent.At))
			}
			return nil
		}
		if err := rest(ctx, 25*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// quiet says that nobody has lost a license behind the mark.
func (s *story) quiet(mark int) error {
	for _, h := range s.audience.since(mark) {
		if h.eventType == event.TypeLicenseRevoked {
			return fmt.Errorf("user %s has lost the license, and nobody has approved that", h.license.User)
		}
		if h.eventType == event.TypePolicyChanged {
			return nil
		}
	}
	return nil
}

// rest waits, unless the story ends.
func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
