package connect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"golang.org/x/sync/errgroup"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// Server answers for a receiver. All fields are needed but Application, whose zero says that nobody has named one.
type Server struct {
	Provider    directory.Provider
	Application Application
	// Verify looks at a directory, see receiver.Provider.
	Verify   func(context.Context, tenant.Tenant) ([]receiver.Finding, error)
	Registry *tenant.Registry
	Bus      *bus.Bus
	Logger   *slog.Logger
	Clock    clock.Clock
}

const (
	atOnce   = 4                // requests that are worked on
	waiting  = 64               // requests that wait for that; more are not heard, and whoever asked asks again
	patience = 20 * time.Second // for one request; whoever asks waits a little longer
	queue    = "receivers"      // one receiver of those that listen answers
)

// Run answers until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	requests := make(chan *nats.Msg, waiting)
	heard, err := s.Bus.JetStream().Conn().ChanQueueSubscribe(Subject(s.Provider), queue, requests)
	if err != nil {
		return fmt.Errorf("listen for what the Control Center asks: %w", err)
	}
	defer func() { _ = heard.Unsubscribe() }()
	group, ctx := errgroup.WithContext(ctx)
	for range atOnce {
		group.Go(func() error {
			for {
				select {
				case <-ctx.Done():
					return nil
				case m := <-requests:
					s.serve(ctx, m)
				}
			}
		})
	}
	return group.Wait()
}

// serve answers one request. Clients wait in inboxes: whoever names another place for the answer would have us write there.
func (s *Server) serve(ctx context.Context, m *nats.Msg) {
	if !strings.HasPrefix(m.Reply, "_INBOX") {
		s.Logger.WarnContext(ctx, "a request names no inbox for the answer")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	body, err := json.Marshal(s.answer(ctx, m.Data))
	if err == nil {
		err = m.Respond(body)
	}
	if err != nil {
		s.Logger.WarnContext(ctx, "a request cannot be answered", "error", err)
	}
}

func (s *Server) answer(ctx context.Context, body []byte) (a answer) {
	var r request
	defer func() { // one directory that is odd is to stop nothing else
		if odd := recover(); odd != nil {
			s.Logger.ErrorContext(ctx, "doing what was asked for panicked", "panic", fmt.Sprint(odd))
			a = answer{Code: codeOf(ErrFailed)}
		}
	}()
	err := json.Unmarshal(body, &r)
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrInvalid, err)
	} else {
		a, err = s.do(ctx, r)
	}
	if err != nil {
		a.Code = codeOf(err)
		s.Logger.WarnContext(ctx, "what was asked for is not done", "verb", r.Verb, "why", a.Code, "error", err)
	}
	return a
}

func (s *Server) do(ctx context.Context, r request) (answer, error) {
	if change, known := changes[r.Verb]; known {
		return change(s, ctx, r)
	}
	if s.Application.Shown.ClientID == "" {
		return answer{}, ErrNoApplication
	}
	if r.Verb == describe {
		return answer{Shown: &s.Application.Shown}, nil
	}
	if r.Verb != check && r.Verb != add || r.Wanted.Provider != s.Provider {
		return answer{}, ErrInvalid
	}
	t, err := r.Wanted.with(s.Application, s.Clock.Now())
	if err != nil {
		return answer{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	findings, err := s.Verify(ctx, t)
	if err != nil {
		return answer{}, err
	}
	a := answer{Proof: proofOf(findings)}
	switch {
	case r.Verb == check:
		return a, nil
	case !a.Proof.Complete:
		return a, ErrNotProved
	}
	_, again, err := s.Registry.Connect(ctx, t, len(r.Wanted.Products) > 0, nil)
	switch {
	case errors.Is(err, tenant.ErrExists):
		return a, ErrExists
	case errors.Is(err, tenant.ErrDirectoryTaken):
		return a, ErrTaken
	case err != nil:
		return a, err
	}
	s.Logger.InfoContext(ctx, "a directory is connected", "tenant", t.ID, "again", again, "by", r.Wanted.By)
	a.Again = again
	return a, nil
}
