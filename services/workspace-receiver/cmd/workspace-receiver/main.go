// Command workspace-receiver runs the Workspace half alone, against a NATS server elsewhere. It is configured as `rollcall
// serve` is, by environment variables or a file named by --config or ROLLCALL_CONFIG; `rollcall serve --role
// workspace-receiver` does the same.
package main

import (
	"github.com/rollcall-hq/rollcall/services/internal/config"
	"github.com/rollcall-hq/rollcall/services/internal/process"
	workspacereceiver "github.com/rollcall-hq/rollcall/services/workspace-receiver"
)

func main() { process.Main(config.RoleWorkspaceReceiver, workspacereceiver.Open) }
