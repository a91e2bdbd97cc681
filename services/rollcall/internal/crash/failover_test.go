//go:build unix

package crash

import (
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"
)

// takeover is within which time the work of a process that is gone must go on: the TTL of its leases, and some seconds.
const takeover = 20 * time.Second

// TestWorkersComeAndGo runs every role as processes of their own. While directories change, the worker that publishes is
// killed, another one joins, and the next one that publishes is stopped until all it had is others', and goes on. After that
// every entitlement equals the directories, and LICENSES holds each event once and in order.
func TestWorkersComeAndGo(t *testing.T) {
	t.Parallel()
	seed := *seed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("seed %d", seed)
	c := openCluster(t)
	workers := []*instance{c.serve(t, "worker", "worker-1"), c.serve(t, "worker", "worker-2"), c.serve(t, "worker", "worker-3")}
	receivers := []*instance{c.serve(t, "graph-receiver", "graph"), c.serve(t, "workspace-receiver", "workspace")}
	for _, i := range slices.Concat(workers, receivers) {
		i.awaitReady(t)
	}
	await(t, "even shares", takeover, func() bool { return evenly(t, workers) })
	c.connect(t, seed)
	c.verifyAll(t)
	var ends []func() error
	for _, s := range c.stories {
		ends = append(ends, s.begin(t.Context()))
	}

	victim := publisher(t, workers)
	workers[victim].Kill()
	workers = slices.Delete(workers, victim, victim+1)
	took := await(t, "takeover from a killed worker", takeover, func() bool { return complete(t, workers) })
	t.Logf("a killed worker's leases were taken over after %s", took)

	workers = append(workers, c.serve(t, "worker", "worker-4"))
	workers[2].awaitReady(t)
	took = await(t, "share of a newcomer", takeover, func() bool { return evenly(t, workers) })
	t.Logf("a newcomer had its share after %s", took)

	stopped := workers[publisher(t, workers)]
	had, lost := leases(t, stopped, "rollcall_leases_held"), leases(t, stopped, "rollcall_lease_losses_total")
	stopped.signal(t, syscall.SIGSTOP)
	others := slices.DeleteFunc(slices.Clone(workers), func(i *instance) bool { return i == stopped })
	took = await(t, "takeover from a stopped worker", takeover, func() bool { return complete(t, others) })
	t.Logf("a stopped worker's leases were taken over after %s", took)
	stopped.signal(t, syscall.SIGCONT)
	await(t, "loss of exactly what it had", takeover, func() bool {
		return leases(t, stopped, "rollcall_lease_losses_total") == lost.plus(had)
	})
	await(t, "even shares again", takeover, func() bool { return evenly(t, workers) })

	for _, end := range ends {
		if err := end(); err != nil {
			t.Fatalf("a story broke off: %v", err)
		}
	}
	c.verifyAll(t)
	for _, i := range slices.Concat(workers, receivers) {
		if !i.Alive() {
			t.Errorf("%s ended by itself:\n%s", i.name, i.Said)
		}
		if i.Said.Refused() != "" {
			t.Errorf("%s lacks rights: %s", i.name, i.Said.Refused())
		}
	}
	t.Logf("the stopped worker was fenced %v times", stopped.metric(t, "rollcall_worker_fenced_total", ""))
}

// perRole is a number of leases of each role that a worker has.
type perRole struct{ worker, relay int }

func (n perRole) plus(m perRole) perRole {
	return perRole{worker: n.worker + m.worker, relay: n.relay + m.relay}
}

// leases is what a worker says of its leases by one of its metrics.
func leases(t *testing.T, w *instance, metric string) perRole {
	t.Helper()
	return perRole{worker: int(w.metric(t, metric, `role="worker"`)), relay: int(w.metric(t, metric, `role="relay"`))}
}

// complete reports whether the workers hold all there is.
func complete(t *testing.T, workers []*instance) bool {
	t.Helper()
	return holds(t, "worker", workers...) == partitions && holds(t, "relay", workers...) == 1
}

// evenly reports whether they hold all there is, none more than one partition above another.
func evenly(t *testing.T, workers []*instance) bool {
	t.Helper()
	for _, w := range workers {
		if n := holds(t, "worker", w); n < partitions/len(workers) || n > (partitions+len(workers)-1)/len(workers) {
			return false
		}
	}
	return complete(t, workers)
}

// publisher is the index of the worker that relays.
func publisher(t *testing.T, workers []*instance) int {
	t.Helper()
	i := slices.IndexFunc(workers, func(w *instance) bool { return holds(t, "relay", w) == 1 })
	if i < 0 {
		t.Fatal("nobody relays")
	}
	return i
}

func (i *instance) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := i.Signal(s); err != nil {
		t.Fatal(err)
	}
}
