package ledger

import (
	"context"
	"net"
	"strings"
	"syscall"
	"time"
)

// silence is how long a server may leave unanswered what it was sent before the connection counts as lost. Without a limit, a
// machine that vanished is waited for for a quarter of an hour.
const silence = 30 * time.Second

// dial connects to a Postgres server.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: silence / 3, Interval: silence / 6, Count: 4},
		Control: func(network, _ string, c syscall.RawConn) error {
			if !strings.HasPrefix(network, "tcp") {
				return nil
			}
			return limitSilence(c)
		},
	}
	return d.DialContext(ctx, network, address)
}
