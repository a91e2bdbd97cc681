package torture_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/cli"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/torture"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// TestMain lets the test's own program be the parts: the driver starts it as it would start rollcall.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "torture" {
		os.Exit(cli.ExitCode(cli.Run(context.Background(), os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr)))
	}
	os.Exit(m.Run())
}

// short is a run that leaves the machine to others. It is no measure of how much the system can take.
func short(t *testing.T, seed uint64) torture.Config {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes half a minute")
	}
	cfg := torture.Default()
	cfg.Seed, cfg.Folder, cfg.Duration, cfg.Rate, cfg.Least, cfg.Speed = seed, t.TempDir(), 15*time.Second, 24, 0, 6
	return cfg
}

func run(t *testing.T, cfg torture.Config, tamper func(context.Context, *nats.Conn, *control.Client) error) torture.Report {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	report, err := torture.Run(t.Context(), cfg, torture.Deps{Program: program, Tell: t.Logf, Tamper: tamper})
	var said bytes.Buffer
	if err == nil {
		err = report.Write(&said)
	}
	if err != nil {
		t.Fatalf("the run broke off: %v", err)
	}
	t.Logf("report:\n%s", &said)
	return report
}

// TestNothingIsWrong kills parts of all of Rollcall while directories of both providers change and requests fail.
func TestNothingIsWrong(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{1, 2} { // without full reads after the first, and with them
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			cfg := short(t, seed)
			cfg.Kill, cfg.KillEvery = true, 3*time.Second
			report := run(t, cfg, nil)
			if !report.OK {
				t.Errorf("wrong: %s", strings.Join(report.Wrong, "\n"))
			}
			if report.KillCount()+report.Idle == 0 || report.Changes < 100 || len(report.Tenants) != 6 || report.Revocations == 0 {
				t.Errorf("%d kills, %d changes, %d tenants, %d revocations: not much of a torture",
					report.KillCount(), report.Changes, len(report.Tenants), report.Revocations)
			}
			faults := 0
			for _, n := range report.Faults {
				faults += n
			}
			if faults < 20 {
				t.Errorf("few faults befell anything: %v", report.Faults)
			}
		})
	}
}

// TestWhatIsWrongIsFound forges an event on LICENSES when all is at rest.
func TestWhatIsWrongIsFound(t *testing.T) {
	t.Parallel()
	cfg := short(t, 3)
	cfg.Providers, cfg.Duration, cfg.Patience = []directory.Provider{directory.Entra}, 5*time.Second, 5*time.Second
	const of = "entra-1"
	report := run(t, cfg, func(ctx context.Context, nc *nats.Conn, client *control.Client) error {
		return forge(ctx, nc, client, of)
	})
	if report.OK || !slices.ContainsFunc(report.Wrong, func(s string) bool { return strings.HasPrefix(s, of+": 1 users differ") }) {
		t.Errorf("somebody's license was forged, and what is wrong is %q", report.Wrong)
	}
	look(t, cfg.Folder, report)
	for _, one := range report.Tenants {
		if one.Report.OK() != (one.ID != of) {
			t.Errorf("%s is %s: %s", one.ID, one.Report.State, one.Report)
		}
	}
}

// look looks into what a run has left, and must find there what the run found.
func look(t *testing.T, folder string, report torture.Report) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var again, of bytes.Buffer
	one := report.Tenants[1]
	err = torture.Look(t.Context(), folder, one.ID, "", torture.Deps{Program: program}, &again)
	if err == nil && len(one.Report.Differences) == 1 {
		err = torture.Look(t.Context(), folder, one.ID, one.Report.Differences[0].User, torture.Deps{Program: program}, &of)
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(again.String()); got != one.Revocations.String() {
		t.Errorf("judged again:\n%s\nat first:\n%s", got, one.Revocations)
	}
	for _, where := range []string{"  directory  user ", "  LEDGER_IN  ", "  LICENSES   forged-"} {
		if !strings.Contains(of.String(), where) {
			t.Errorf("nothing of %q is told of the user:\n%s", where, &of)
		}
	}
}

// forge tells on LICENSES, as the next event, that somebody has the license who has not, or the other way round.
func forge(ctx context.Context, nc *nats.Conn, client *control.Client, of string) error {
	b, err := bus.New(nc, bus.Config{})
	if err != nil {
		return err
	}
	product := tenant.SecureShare().ID
	users := map[string]bus.Message{}
	last := uint64(0)
	spec := bus.ReadSpec{Stream: bus.Licenses, Filters: []string{"license." + of + "." + product + ".>"}}
	err = b.Read(ctx, spec, func(m bus.Message) error {
		if m.Event.Subject() != "" {
			users[m.Event.Subject()] = m
		}
		last, err = event.Sequence(m.Event)
		return err
	})
	if err != nil {
		return err
	}
	for user, m := range users {
		data, err := event.Data[event.Entitlement](m.Event)
		if err != nil {
			return err
		}
		if now, err := client.User(ctx, of, user); err != nil || now.Status != directory.Active {
			continue
		}
		kind, sequence := event.TypeLicenseRevoked, last+1
		if data.Licensed = !data.Licensed; data.Licensed {
			kind = event.TypeLicenseGranted
		}
		forged, err := event.New(kind, event.Meta{
			ID: fmt.Sprint("forged-", sequence), Source: m.Event.Source(), Time: time.Now(), Tenant: of, Sequence: sequence,
		}, data)
		if err != nil {
			return err
		}
		forged.SetSubject(user)
		_, err = b.Publish(ctx, event.LicenseSubject(of, product, user), forged)
		return err
	}
	return fmt.Errorf("nobody of %s has an event to forge", of)
}
