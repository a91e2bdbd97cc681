package demo

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"

	"github.com/nats-io/nats.go"

	"github.com/rollcall-hq/rollcall/pkg/license"
	"github.com/rollcall-hq/rollcall/services/internal/httpserver"
	secureshare "github.com/rollcall-hq/rollcall/services/secure-share"
)

// share is the worked example: a product on a connection to NATS of its own, which knows nothing else of the demo.
type share struct {
	nc   *nats.Conn
	http *httpserver.Server
	run  func(context.Context) error
}

func openShare(ctx context.Context, addr, natsURL string, logger *slog.Logger) (s *share, err error) {
	s = &share{}
	if s.nc, err = nats.Connect(natsURL, nats.Name("secure-share"), nats.MaxReconnects(-1)); err != nil {
		return nil, fmt.Errorf("connect the worked example: %w", err)
	}
	client, err := license.New(s.nc)
	if err == nil {
		var app *secureshare.App
		if app, s.run, err = secureshare.Follow(ctx, client); err == nil {
			s.http, err = httpserver.New(httpserver.Config{Addr: addr, ReplaceTakenPort: true},
				httpserver.Deps{Logger: logger.With("part", "secure-share"), Handler: app})
		}
	}
	if err != nil {
		s.nc.Close()
		return nil, fmt.Errorf("open the worked example: %w", err)
	}
	return s, nil
}

// as is the address at which a person signs in as somebody.
func (s *share) as(tenant, user string) string {
	return s.http.URL() + "/?" + url.Values{"tenant": {tenant}, "user": {user}}.Encode()
}

func (s *share) close() {
	_ = s.http.Close() // served, it has closed itself
	s.nc.Close()
}
