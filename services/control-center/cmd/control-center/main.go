// Command control-center runs the Control Center alone, against a NATS server and a ledger elsewhere. It is configured as
// `rollcall serve` is, by environment variables or a file named by --config or ROLLCALL_CONFIG; `rollcall serve --role
// control-center` does the same.
package main

import (
	controlcenter "github.com/rollcall-hq/rollcall/services/control-center"
	"github.com/rollcall-hq/rollcall/services/internal/config"
	"github.com/rollcall-hq/rollcall/services/internal/process"
)

func main() { process.Main(config.RoleControlCenter, controlcenter.Open) }
