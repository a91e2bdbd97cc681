package controlcenter

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/accessfile"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/bearer"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/issuer"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/session"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/signin"
	"github.com/rollcall-hq/rollcall/services/control-center/tokens"
)

// mountAccess makes the guard, and what people sign in with.
func (c *Center) mountAccess(ctx context.Context) error {
	file, err := accessfile.Open(c.cfg.AccessFile, c.deps.Logger, c.deps.Clock)
	if err != nil {
		return err
	}
	c.cfg.PublicURL = strings.TrimSuffix(c.cfg.PublicURL, "/")
	sessions, err := session.Open(ctx, session.Config{Secure: !plain(c.cfg.PublicURL)}, c.deps.Bus, c.deps.Clock)
	if err != nil {
		return fmt.Errorf("open the sessions: %w", err)
	}
	c.sessions = sessions
	store, err := tokens.Open(ctx, c.deps.Bus, c.deps.Clock)
	if err != nil {
		return fmt.Errorf("open the tokens: %w", err)
	}
	finder := issuer.NewFinder(c.deps.Clock)
	signIn := signin.New(signin.Config{PublicURL: c.cfg.PublicURL, Development: c.cfg.DevelopmentLogin},
		signin.Deps{Sessions: sessions, Access: file, Issuers: finder, Logger: c.deps.Logger, Clock: c.deps.Clock})
	c.guard = access.NewGuard(access.Config{TrustedProxy: c.cfg.TrustedProxy}, access.Deps{
		Sessions: signIn, Logger: c.deps.Logger, Clock: c.deps.Clock,
		Bearers: &bearer.Proofs{Tokens: store, Machines: bearer.NewMachines(file, finder, c.deps.Logger, c.deps.Clock), Logger: c.deps.Logger},
	})
	signIn.Mount(c.mux, c.guard)
	c.workers = append(c.workers, func(ctx context.Context) error { return c.sweep(ctx, sessions.Sweep, store.Sweep) })
	return nil
}

// plain reports whether cookies go without https: nowhere but on this machine.
func plain(publicURL string) bool {
	u, err := url.Parse(publicURL)
	return err == nil && u.Scheme == "http" && (u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback())
}

// sweepEvery is how often what has expired is taken out of the buckets.
const sweepEvery = 10 * time.Minute

// sweep works until ctx ends. What fails is tried again at the next time: nobody comes in by what has expired.
func (c *Center) sweep(ctx context.Context, sweeps ...func(context.Context) error) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-c.deps.Clock.After(sweepEvery):
		}
		for _, sweep := range sweeps {
			if err := sweep(ctx); err != nil && ctx.Err() == nil {
				c.deps.Logger.WarnContext(ctx, "what has expired is still there", "error", err)
			}
		}
	}
}
