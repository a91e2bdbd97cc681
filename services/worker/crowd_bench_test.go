package worker_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
)

// A flip of many users is listed and carried out by the worker, with a NATS server and a ledger that write through to the disk,
// while single changes of the same tenant and of another one come in. It tells how long these take from the moment at which
// they are published to LEDGER_IN until they can be read from LICENSES, and how much memory the process has in use, that of
// the NATS server within it: go test -run '^$' -bench FlipOfACrowd -benchtime 1x -timeout 1h
func BenchmarkFlipOfACrowd(b *testing.B) {
	for _, users := range []int{10_000, 100_000} {
		for _, backend := range []ledgertest.Backend{
			{Name: "sqlite", Address: func(tb testing.TB) string { return tb.TempDir() + "/ledger.db" }}, {Name: "postgres", Address: ledgertest.Durable},
		} {
			b.Run(fmt.Sprintf("%s/users=%d", backend.Name, users), func(b *testing.B) {
				for range b.N {
					flipOfACrowd(b, backend.Address(b), users)
				}
			})
		}
	}
}

func flipOfACrowd(b *testing.B, address string, users int) {
	b.Helper()
	c := newCrowd(b, address, users, 250, bustest.SyncAlways())
	ledgertest.Load(b, address, ledgertest.Bulk{
		Tenant: "fabrikam", Product: "secure-share", Domain: "contoso.com", Group: "g", Users: 1000, Members: 500, At: time.Now(),
		Address: "virtru-secure-share-provisioning-group@contoso.com",
	})
	c.register("fabrikam")
	flush(b, address)
	c.start()
	defer func() { c.stop() }()
	c.fill()
	c.until("survey", func() bool {
		all, err := c.reader.HeldChanges(b.Context(), "contoso", true)
		return err == nil && len(all) == 1
	})
	used := watchMemory()
	same, other := c.stream("contoso"), c.stream("fabrikam")
	begun := time.Now()
	opened := c.listed()
	listed := time.Since(begun)
	c.publishCommand("contoso", event.VerbApprove, event.TypeApproveRequested, event.ApproveRequested{
		Product: "secure-share", Held: opened.Held, Revision: opened.Revision, By: "operator",
	})
	begun = time.Now()
	c.untilApplied()
	applied := time.Since(begun)
	mib := used()
	for of, latencies := range map[string]func() []time.Duration{"same": same, "other": other} {
		all := latencies()
		slices.Sort(all)
		at := func(q float64) float64 { return float64(all[int(q*float64(len(all)-1))].Microseconds()) / 1000 }
		b.ReportMetric(at(0.5), of+"-p50-ms")
		b.ReportMetric(at(0.99), of+"-p99-ms")
		b.ReportMetric(at(1), of+"-max-ms")
		b.ReportMetric(float64(len(all)), of+"-singles")
	}
	b.ReportMetric(float64(users)/listed.Seconds(), "listed/s")
	b.ReportMetric(float64(users)/applied.Seconds(), "applied/s")
	b.ReportMetric(mib.base, "base-MiB")
	b.ReportMetric(mib.peak, "peak-MiB")
	b.ReportMetric(mib.worker, "worker-MiB")
}

// untilApplied waits until the flip is carried out and the last event of it is out.
func (c *crowd) untilApplied() {
	c.t.Helper()
	tick := time.NewTicker(time.Second) // as a page that shows the progress
	defer tick.Stop()
	for c.flip().State != ledger.HeldApplied {
		<-tick.C
	}
	outbox, err := ledger.Open(c.t.Context(), c.path)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = outbox.Close() }()
	for {
		n, err := outbox.OutboxDepth(c.t.Context())
		if err != nil {
			c.t.Fatal(err)
		}
		if n == 0 {
			return
		}
		<-tick.C
	}
}

// memory is how much of the heap is in use, in MiB.
type memory struct {
	base   float64 // of the whole process, at first
	peak   float64 // of the whole process at most, with what nobody uses any more and has yet to be collected
	worker float64 // at most, of what the worker has asked for, at the end of a collection
}

// watchMemory samples it until the returned function is called.
func watchMemory() (end func() memory) {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	heap := func() float64 {
		metrics.Read(sample)
		return float64(sample[0].Value.Uint64()) / (1 << 20)
	}
	runtime.GC()
	m := memory{base: heap()}
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			case <-tick.C:
				m.peak = max(m.peak, heap())
				if n%100 == 0 {
					m.worker = max(m.worker, workers())
				}
			}
		}
	}()
	return func() memory {
		close(stop)
		<-ended
		return m
	}
}

// workers is how much of the heap the worker has asked for, by the profile: that of the NATS server in this process grows with
// the subjects on its streams.
func workers() float64 {
	records := make([]runtime.MemProfileRecord, 4096)
	n, ok := runtime.MemProfile(records, false)
	if !ok {
		return 0
	}
	sum := 0.0
	for _, r := range records[:n] {
		frames := runtime.CallersFrames(r.Stack())
		for {
			frame, more := frames.Next()
			if strings.Contains(frame.Function, "/services/worker.") || strings.Contains(frame.Function, "/services/worker/") {
				// What is sampled stands for what is not.
				size := float64(r.AllocBytes) / float64(r.AllocObjects)
				sum += float64(r.InUseBytes()) / (1 - math.Exp(-size/float64(runtime.MemProfileRate)))
				break
			}
			if !more {
				break
			}
		}
	}
	return sum / (1 << 20)
}

// flush has the system write what was loaded into a file to the disk. Otherwise the first checkpoint does, for seconds.
func flush(b *testing.B, address string) {
	b.Helper()
	file, err := os.Open(address)
	if err != nil {
		return // of a server
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		b.Fatal(err)
	}
}

// stream publishes single changes of a tenant, one after the other, until the returned function is called: that tells how long
// each has taken.
func (c *crowd) stream(tenant string) (end func() []time.Duration) {
	c.t.Helper()
	news, stopNews := c.licenses(tenant)
	stop, ended := make(chan struct{}), make(chan struct{})
	var took []time.Duration
	publisher := &house{t: c.t, bus: c.bus, stamp: 1 << 20, pages: 1 << 20}
	go func() {
		defer close(ended)
		pace := time.NewTicker(20 * time.Millisecond)
		defer pace.Stop()
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-pace.C:
			}
			id := fmt.Sprint("new-", i)
			begun := time.Now()
			(&crowd{house: publisher}).newcomer(tenant, id)
			for told := range news {
				if told == id {
					break
				}
			}
			took = append(took, time.Since(begun))
		}
	}()
	return func() []time.Duration {
		close(stop)
		<-ended
		stopNews()
		return took
	}
}

// licenses follows whom the license events of a tenant that come from now on are about.
func (c *crowd) licenses(tenant string) (users <-chan string, stop func()) {
	c.t.Helper()
	js := c.bus.JetStream()
	consumer, err := js.OrderedConsumer(c.t.Context(), bus.Licenses, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{event.LicenseSubject(tenant, "secure-share", "*")}, DeliverPolicy: jetstream.DeliverNewPolicy, HeadersOnly: true,
	})
	if err != nil {
		c.t.Fatal(err)
	}
	told := make(chan string, 1<<10) // one at a time is waited for
	consuming, err := consumer.Consume(func(m jetstream.Msg) {
		if id := m.Subject()[strings.LastIndexByte(m.Subject(), '.')+1:]; strings.HasPrefix(id, "new-") {
			told <- id
		}
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return told, func() {
		consuming.Stop()
		<-consuming.Closed()
	}
}
