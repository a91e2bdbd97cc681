// Command graph-receiver runs the Graph half alone, against a NATS server elsewhere. It is configured as `rollcall serve`
// is, by environment variables or a file named by --config or ROLLCALL_CONFIG; `rollcall serve --role graph-receiver` does
// the same.
package main

import (
	graphreceiver "github.com/rollcall-hq/rollcall/services/graph-receiver"
	"github.com/rollcall-hq/rollcall/services/internal/config"
	"github.com/rollcall-hq/rollcall/services/internal/process"
)

func main() { process.Main(config.RoleGraphReceiver, graphreceiver.Open) }
