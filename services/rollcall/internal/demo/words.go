package demo

import (
	"fmt"
	"os"
	"strings"
)

// introduce says what is running, and which addresses had to be replaced.
func (s *stage) introduce() {
	s.tell.say("Rollcall demo: simulated directories of both providers and all of Rollcall in one process, in %s.\n", s.cfg.Data)
	for _, line := range s.process.Moved() {
		s.tell.say("  %s", line)
	}
	s.tell.say("  NATS       %s", s.process.NATSURL())
	s.tell.say("  pages      %s  (the Control Center; sign in as whoever you like. Also /healthz, /readyz, /metrics)", s.process.HTTPURL())
	s.tell.say("  example    %s  (Secure Share, a product that asks who is licensed)", s.share.http.URL())
	s.tell.say("  simulator  %s  (Microsoft Graph, and Google's Directory and Reports APIs, over TLS)\n", s.simulator.URL())
	s.tell.say("Each step is made in both directories at the same time. Times are from the simulator's notification to the license")
	s.tell.say("event at a subscriber on a connection of its own; with a star from the change, where no notification told of it. An")
	s.tell.say("approval's are from the command.\n")
}

// verified says that the story was true.
func (t teller) verified(r Result) {
	agree := append([]string{"the directory", "LICENSES"}, r.Tenants[0].Verification.Copies...)
	last := len(agree) - 1
	t.say("\nVerified: %s and %s say the same of every user, and nothing is held.\n", strings.Join(agree[:last], ", "), agree[last])
	for _, one := range r.Tenants {
		v, l := one.Verification, one.Latency
		told := fmt.Sprintf("%d of %d users licensed, %d events without a gap", v.Licensed, v.Users, v.Events)
		if l.Count > 0 {
			told += fmt.Sprintf("; %d single changes: p50 %s, p99 %s, longest %s", l.Count, seconds(l.P50MS), seconds(l.P99MS), seconds(l.MaxMS))
		}
		t.say("  %-8s %s", one.Tenant, told)
	}
}

// hints prints what a person may try now, ready to paste into another terminal.
func (s *stage) hints(stories []*story) {
	data := ""
	if s.cfg.Data != "rollcall-data" {
		data = " --data " + quote(s.cfg.Data)
	}
	name := program()
	s.tell.say("\nIt stays up until Ctrl-C. Watch in one terminal:\n")
	s.tell.say("  %s events --follow%s", name, data)
	s.tell.say("\nand change the directories in another (\"simulate --help\" lists what else there is):\n")
	for _, st := range stories {
		for _, act := range []string{"remove-member", "add-member", "suspend"} {
			s.tell.say("  %s simulate %s %s%s", name, act, st.cast.members[0].Address, data)
		}
	}
	s.tell.say("\nSee what a user may do while you change that, on an open page:\n")
	for _, st := range stories {
		s.tell.say("  %s", s.share.as(st.company.id, st.cast.members[0].ID))
	}
	s.tell.say("\nAsk who is licensed, and why:\n")
	for _, st := range stories {
		s.tell.say("  %s explain --tenant %s --user %s%s", name, st.company.id, st.cast.members[0].Address, data)
	}
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
