// Command worker runs the worker alone, against a NATS server elsewhere. It is configured as `rollcall serve` is, by
// environment variables or a file named by --config or ROLLCALL_CONFIG; `rollcall serve --role worker` does the same.
package main

import (
	"github.com/rollcall-hq/rollcall/services/internal/config"
	"github.com/rollcall-hq/rollcall/services/internal/process"
	"github.com/rollcall-hq/rollcall/services/worker"
)

func main() { process.Main(config.RoleWorker, worker.Open) }
