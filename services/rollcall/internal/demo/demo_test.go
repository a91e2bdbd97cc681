package demo_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/license"
	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/demo"
)

// play plays the story once.
func play(t *testing.T, cfg demo.Config) (demo.Result, string) {
	t.Helper()
	cfg.Once = true
	return stay(t, t.Context(), cfg, &bytes.Buffer{})
}

// leaver ends the demo as soon as it has said all that it has to say.
type leaver struct {
	bytes.Buffer
	leave func(told string)
}

func (l *leaver) Write(p []byte) (int, error) {
	n, err := l.Buffer.Write(p)
	if bytes.Contains(p, []byte("kv watch entitlements")) { // the last line
		l.leave(l.String())
	}
	return n, err
}

type teller interface {
	io.Writer
	fmt.Stringer
}

func stay(t *testing.T, ctx context.Context, cfg demo.Config, told teller) (demo.Result, string) { //nolint:revive // the test comes first
	t.Helper()
	cfg.Users, cfg.Again, cfg.Settle, cfg.Poll = 200, 4, 300*time.Millisecond, 10*time.Second
	logger, err := telemetry.NewLogger(told, "error", "text")
	if err != nil {
		t.Fatal(err)
	}
	result, err := demo.Run(ctx, cfg, demo.Deps{Out: told, Logger: logger, Started: time.Now()})
	if err != nil {
		t.Fatalf("%v\n%s", err, told)
	}
	return result, told.String()
}

// steps are the changes in one tenant and the type of the event that came of each.
func steps(r demo.Tenant) (all [][2]string) {
	for _, s := range r.Steps {
		all = append(all, [2]string{s.Change, strings.TrimPrefix(s.EventType, "io.rollcall.")})
	}
	return all
}

// providers are those of the tenants, in their order.
func providers(r demo.Result) (all []string) {
	for _, one := range r.Tenants {
		all = append(all, one.Tenant+" "+string(one.Provider))
	}
	return all
}

func TestTheStoryIsTrueAndCanBePlayedAgain(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	cfg := demo.Config{Data: t.TempDir(), HTTPAddr: "127.0.0.1:0", NATSAddr: taken.Addr().String(), ShareAddr: "127.0.0.1:0"}

	first, told := play(t, cfg)
	granted, revoked, policy, parked := "license.granted.v1", "license.revoked.v1", "policy.changed.v1", "held.opened.v1"
	want := [][2]string{
		{"connect", granted},
		{"add-group", ""},
		{"add-members", ""},
		{"settle", parked},
		{"approve", policy},
		{"add-member", granted},
		{"remove-member", revoked},
		{"suspend", revoked},
		{"rename", ""},
		{"add-member", granted},
		{"remove-member", revoked},
		{"add-member", granted},
		{"remove-member", revoked},
		{"remove-members", parked},
		{"add-members", "held.closed.v1"},
		{"remove-group", parked},
		{"approve", policy},
	}
	if diff := cmp.Diff([]string{"contoso entra", "initech google-workspace"}, providers(first)); diff != "" || !first.Verified {
		t.Fatalf("verified %v, tenants (-want +got):\n%s", first.Verified, diff)
	}
	for _, one := range first.Tenants {
		if diff := cmp.Diff(want, steps(one)); diff != "" {
			t.Errorf("steps of %s (-want +got):\n%s", one.Tenant, diff)
		}
		if !one.Verified || one.FirstEventMS <= 0 || one.Users < 200 || one.Latency.Count < 5 || len(one.Verification.Copies) != 2 {
			t.Errorf("result %+v", one)
		}
		heldAndApproved(t, one)
	}
	if !strings.Contains(told, taken.Addr().String()+" is taken") {
		t.Errorf("that a port was replaced is not said:\n%s", told)
	}

	again, told := play(t, cfg)
	if !again.Verified || !strings.Contains(told, "were connected before") {
		t.Errorf("the second run did not resume: %+v\n%s", again, told)
	}
	for i, one := range again.Tenants {
		if diff := cmp.Diff(want, steps(one)); diff != "" {
			t.Errorf("steps of the second run of %s (-want +got):\n%s", one.Tenant, diff)
		}
		before := first.Tenants[i]
		if one.FirstEventMS != 0 || one.Users != before.Users || one.Verification.Events <= before.Verification.Events ||
			one.Verification.Licensed != before.Verification.Licensed-1 {
			t.Errorf("the second run has %+v, the first had %+v", one, before)
		}
	}
}

// heldAndApproved: what the group would change was held when it had settled and took effect as it was listed; and of those
// who left at once, nobody lost a license where the directory had shown them together.
func heldAndApproved(t *testing.T, r demo.Tenant) {
	t.Helper()
	step := func(change string) demo.Step {
		return r.Steps[slices.IndexFunc(r.Steps, func(s demo.Step) bool { return s.Change == change })]
	}
	settled, approved, accident := step("settle"), step("approve"), step("remove-members")
	want := demo.Held{ID: settled.Held.ID, Revision: 1, Revocations: step("connect").Granted - r.Users/4}
	if diff := cmp.Diff(&want, settled.Held); diff != "" || settled.LatencyMS < 300 || settled.Revoked != 0 {
		t.Errorf("held in %s: %+v (-want +got):\n%s", r.Tenant, settled, diff)
	}
	if diff := cmp.Diff(settled.Held, approved.Held); diff != "" || approved.Revoked != want.Revocations || approved.Granted != 0 {
		t.Errorf("approved in %s: %+v (-want +got):\n%s", r.Tenant, approved, diff)
	}
	if n := accident.Held.Revocations + accident.Revoked; n != r.Users/4*3/10 || accident.Revoked > 0 && r.Provider == directory.Entra {
		t.Errorf("the accident in %s: %+v", r.Tenant, accident)
	}
}

// TestWhatIsLeftBehindIsTidied leaves a demo while its group decides, and plays the story again.
func TestWhatIsLeftBehindIsTidied(t *testing.T) {
	t.Parallel()
	cfg := demo.Config{Data: t.TempDir(), HTTPAddr: "127.0.0.1:0", NATSAddr: "127.0.0.1:0", ShareAddr: "127.0.0.1:0"}
	ctx, leave := context.WithCancel(t.Context())
	licensed, shares := 0, 0
	first, told := stay(t, ctx, cfg, &leaver{leave: func(told string) {
		licensed = published(t, told)
		shares = sharing(t, told)
		leave()
	}})
	if licensed != 2*49 || !strings.Contains(told, "is there again and approved: its active members alone are licensed now") {
		t.Errorf("%d are licensed when it says so:\n%s", licensed, told)
	}
	if shares != 2 {
		t.Errorf("of two members of a group that decides %d may share in the worked example:\n%s", shares, told)
	}
	if !first.Verified || strings.Count(told, "simulate remove-member") != 2 || !strings.Contains(told, "nats --server nats://") {
		t.Errorf("the first run: %+v\n%s", first, told)
	}
	again, told := play(t, cfg)
	if !again.Verified || strings.Count(told, "It is deleted first.") != 2 {
		t.Errorf("the second run: %+v\n%s", again, told)
	}
}

// published counts who is licensed by what has been published where the demo says that NATS is.
func published(t *testing.T, told string) (n int) {
	t.Helper()
	nc, err := nats.Connect(regexp.MustCompile(`nats://\S+`).FindString(told))
	if err != nil {
		t.Error(err)
		return 0
	}
	defer nc.Close()
	client, err := license.New(nc)
	if err != nil {
		t.Error(err)
		return 0
	}
	var state license.Fold
	if err := client.Replay(t.Context(), license.Options{}, func(_ context.Context, e license.Event) error {
		state.Apply(e)
		return nil
	}); err != nil {
		t.Error(err)
	}
	for key := range state.State() {
		if state.Licensed(key) {
			n++
		}
	}
	return n
}

// sharing counts who may share, of those as whom the demo says that one can sign in to the worked example.
func sharing(t *testing.T, told string) (n int) {
	t.Helper()
	for _, link := range regexp.MustCompile(`http://\S+/\?tenant=\S+`).FindAllString(told, -1) {
		at, err := url.Parse(link)
		if err != nil {
			t.Error(err)
			continue
		}
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Error(err)
			continue
		}
		browser := &http.Client{Jar: jar}
		for _, form := range []struct {
			path   string
			values url.Values
		}{{"/sign-in", at.Query()}, {"/actions/share.initiate", nil}} {
			response, err := browser.PostForm("http://"+at.Host+form.path, form.values)
			if err != nil {
				t.Error(err)
				continue
			}
			_ = response.Body.Close()
			if form.values == nil && response.StatusCode == http.StatusOK {
				n++
			}
		}
		browser.CloseIdleConnections()
	}
	return n
}
