package bustest

import (
	"testing"

	"go.uber.org/goleak"
)

// VerifyNoLeaks runs a package's tests and fails when goroutines outlive them. Spared are the server's own waits, of up to
// 30 s, over the source of the entitlements: a server that shuts down LICENSES before them leaves them behind (nats-server
// 2.15). Use this and not goleak itself in packages that start servers.
func VerifyNoLeaks(m *testing.M) {
	const stream = "github.com/nats-io/nats-server/v2/server.(*stream)."
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction(stream+"trySetupSourceConsumer.func3"),
		goleak.IgnoreAnyFunction(stream+"setupMirrorConsumer.func3"), // the same for copies of a stream
		goleak.IgnoreAnyFunction(stream+"tryDeleteSourcingConsumer.func1"))
}
