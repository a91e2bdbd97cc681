package demo

import (
	"context"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/supervise"
	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/datadir"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// cost is what one membership change costs, on average but for the time, which is the median.
type cost struct {
	time  time.Duration // from the notification's POST to the event at a subscriber
	calls float64       // requests to the provider
	rows  float64       // of the ledger, written
}

// BenchmarkMembershipChange changes a group that holds half of the tenant's users. What a change costs must not depend on
// how many they are.
func BenchmarkMembershipChange(b *testing.B) {
	for _, users := range []int{1_000, 100_000} {
		b.Run(fmt.Sprintf("users=%d", users), func(b *testing.B) {
			c := measureCost(b, users, max(b.N, 20), b.ResetTimer)
			b.StopTimer()
			b.ReportMetric(float64(c.time.Microseconds())/1000, "ms/POST-to-event")
			b.ReportMetric(c.calls, "provider-calls/op")
			b.ReportMetric(c.rows, "ledger-rows/op")
		})
	}
}

func TestAChangeCostsTheSameInALargerTenant(t *testing.T) {
	t.Parallel()
	small, large := measureCost(t, 100, 10, func() {}), measureCost(t, 1000, 10, func() {})
	t.Logf("100 users: %+v, 1000 users: %+v", small, large)
	if small.calls != large.calls || small.rows != large.rows || small.calls == 0 || small.rows == 0 {
		t.Errorf("a change costs %+v among 100 users, and %+v among 1000", small, large)
	}
}

// measureCost connects a directory whose provisioning group is there already and makes changes, one after the other.
func measureCost(tb testing.TB, users, changes int, begin func()) (c cost) {
	tb.Helper()
	dir, err := datadir.Open(tb.TempDir())
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = dir.Close() }()
	st := &stage{
		cfg: Config{
			Data: dir.Join(""), Users: users, HTTPAddr: "127.0.0.1:0", NATSAddr: "127.0.0.1:0", Settle: time.Second, Poll: time.Hour,
		},
		dir: dir, logger: telemetry.Discard(), clock: clock.System(), metrics: telemetry.NewRegistry(), tell: newTeller(io.Discard),
	}
	defer st.close()
	if err := st.open(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	ctx, stop := context.WithTimeout(tb.Context(), 10*time.Minute)
	defer stop()
	var fault error
	err = st.run(ctx, supervise.Worker{Name: "measure", Run: func(ctx context.Context) error {
		c, fault = st.measure(ctx, changes, begin)
		stop()
		<-ctx.Done()
		return nil
	}})
	if fault != nil || err != nil {
		tb.Fatal(fault, err)
	}
	return c
}

func (s *stage) measure(ctx context.Context, changes int, begin func()) (c cost, err error) {
	client, err := control.NewWithCA(s.simulator.URL(), s.simulator.CAFile())
	if err != nil {
		return c, err
	}
	if err := s.fillCompany(ctx, client); err != nil {
		return c, err
	}
	nc, licenses, err := s.subscriber()
	if err != nil {
		return c, err
	}
	defer nc.Close()
	st, done, err := s.story(ctx, nc, licenses, time.Now())
	if err != nil {
		return c, err
	}
	defer done()
	want, err := st.company.members(ctx)
	if err != nil {
		return c, err
	}
	if _, err := st.audience.agrees(ctx, want); err != nil {
		return c, err
	}
	if st.cast, err = st.company.hire(ctx); err != nil {
		return c, err
	}
	user := st.cast.members[0] // a member at first
	begin()
	calls, rows, err := s.spent(ctx, client)
	if err != nil {
		return c, err
	}
	var times []time.Duration
	for i := range changes {
		change, eventType := client.RemoveMembers, event.TypeLicenseRevoked
		if i%2 == 1 {
			change, eventType = client.AddMembers, event.TypeLicenseGranted
		}
		step, err := st.single(ctx, "change", user, eventType, func() (control.Change, error) {
			return change(ctx, tenantID, st.company.address, user.ID)
		})
		if err != nil {
			return c, err
		}
		times = append(times, time.Duration(step.LatencyMS*float64(time.Millisecond)))
	}
	callsAfter, rowsAfter, err := s.spent(ctx, client)
	if err != nil {
		return c, err
	}
	slices.Sort(times)
	n := float64(changes)
	return cost{time: times[len(times)/2], calls: (callsAfter - calls) / n, rows: (rowsAfter - rows) / n}, nil
}

// fillCompany makes the users, and the group with every second one in it, before anybody looks.
func (s *stage) fillCompany(ctx context.Context, client *control.Client) error {
	if _, err := client.PutTenant(ctx, control.Tenant{ID: tenantID, Domains: []string{domain}, App: control.App{ClientID: clientID, Secret: "x"}}); err != nil {
		return err
	}
	if _, err := client.Generate(ctx, tenantID, control.Generate{Users: s.cfg.Users, Seed: seed}); err != nil {
		return err
	}
	all, err := client.Users(ctx, tenantID)
	if err != nil {
		return err
	}
	address := connected("").GroupAddress(connected("").Products[0])
	if _, err := client.AddGroup(ctx, tenantID, control.NewGroup{Name: groupName, Address: address}); err != nil {
		return err
	}
	people := company{client: client, tenant: tenantID, address: address}
	cast, err := people.hire(ctx)
	if err != nil {
		return err
	}
	half := []string{cast.members[0].ID}
	for i := 1; i < len(all) && len(half) < len(all)/2; i++ {
		if all[i].ID != half[0] {
			half = append(half, all[i].ID)
		}
	}
	_, err = client.AddMembers(ctx, tenantID, address, half...)
	return err
}

// spent returns the provider's requests and the ledger's rows so far, once what an event leaves behind is done.
func (s *stage) spent(ctx context.Context, client *control.Client) (calls, rows float64, err error) {
	for {
		beforeCalls, beforeRows := calls, rows
		if calls, rows, err = s.counted(ctx, client); err != nil || calls == beforeCalls && rows == beforeRows {
			return calls, rows, err
		}
		if err := rest(ctx, 500*time.Millisecond); err != nil {
			return calls, rows, err
		}
	}
}

func (s *stage) counted(ctx context.Context, client *control.Client) (calls, rows float64, err error) {
	counters, err := client.Counters(ctx, tenantID)
	if err != nil {
		return 0, 0, err
	}
	for _, c := range counters {
		calls += float64(c.Requests)
	}
	families, err := s.metrics.Gather()
	if err != nil {
		return 0, 0, err
	}
	for _, f := range families {
		if f.GetName() == "rollcall_worker_rows_written_total" {
			rows = f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	return calls, rows, nil
}
