package demo

import (
	"fmt"
	"os"
	"strings"
)

// introduce says what is running, and which addresses had to be replaced.
func (s *stage) introduce() {
	s.tell.say("Rollcall demo: a simulated Entra directory and all of Rollcall in one process, in %s.\n", s.cfg.Data)
	for _, line := range s.process.Moved() {
		s.tell.say("  %s", line)
	}
	s.tell.say("  NATS       %s", s.process.NATSURL())
	s.tell.say("  HTTP       %s  (/healthz, /readyz, /metrics)", s.process.HTTPURL())
	s.tell.say("  simulator  %s  (Microsoft Graph, over TLS)\n", s.simulator.URL())
	s.tell.say("Times are from the simulator's notification to the license event at a subscriber on a connection of its own.\n")
}

// verified says that the story was true.
func (t teller) verified(r Result) {
	t.say("\nVerified: %s.", r.Verification)
	if r.Latency.Count > 0 {
		t.say("From notification to license event over %d changes of single users: p50 %s, p99 %s, longest %s.",
			r.Latency.Count, seconds(r.Latency.P50MS), seconds(r.Latency.P99MS), seconds(r.Latency.MaxMS))
	}
}

// hints prints what a person may try now, ready to paste into another terminal.
func (s *stage) hints() {
	data := ""
	if s.cfg.Data != "rollcall-data" {
		data = " --data " + quote(s.cfg.Data)
	}
	name, user := program(), s.example
	s.tell.say("\nIt stays up until Ctrl-C. Watch in one terminal:\n")
	s.tell.say("  %s events --tenant contoso --follow%s", name, data)
	s.tell.say("\nand change the directory in another:\n")
	s.tell.say("  %s simulate remove-member %s%s", name, user, data)
	s.tell.say("  %s simulate add-member %s%s", name, user, data)
	s.tell.say("  %s simulate suspend %s%s", name, user, data)
	s.tell.say("  %s simulate remove-group%s", name, data)
	s.tell.say("\nAsk who is licensed, and why:\n")
	s.tell.say("  %s check --tenant contoso --user %s --action share.initiate%s", name, user, data)
	s.tell.say("  %s explain --tenant contoso --user %s%s", name, user, data)
	s.tell.say("\nOr with the stock nats command line:\n")
	s.tell.say("  nats --server %s sub --stream LICENSES --all", s.process.NATSURL())
	s.tell.say("  nats --server %s kv watch entitlements", s.process.NATSURL())
}

// program is how the binary was started, as it can be typed again.
func program() string {
	started := os.Args[0]
	if strings.Contains(started, "go-build") { // go run: the binary is gone when it ends
		return "go run ./services/rollcall/cmd/rollcall"
	}
	return quote(started)
}

func quote(s string) string {
	if strings.ContainsAny(s, " '\"$\\") {
		return fmt.Sprintf("%q", s)
	}
	return s
}
