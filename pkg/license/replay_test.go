package license_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/license"
)

func TestReplay(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if got, err := b.replay(t, license.Options{}); got != nil || err != nil {
		t.Errorf("an empty record holds %v, %v", got, err)
	}
	b.grant(t, "contoso", "secure-share", 1, 4) // stream 1 to 4
	b.grant(t, "fabrikam", "secure-share", 1, 2)
	between := time.Now()
	b.grant(t, "contoso", "secure-share", 5, 6) // stream 7, 8
	b.grant(t, "contoso", "other", 1, 1)
	contoso := license.Options{Tenant: "contoso", Product: "secure-share"}
	with := func(change func(*license.Options)) license.Options {
		o := contoso
		change(&o)
		return o
	}
	for name, c := range map[string]struct {
		options license.Options
		want    []uint64
	}{
		"everything":      {license.Options{}, []uint64{1, 2, 3, 4, 1, 2, 5, 6, 1}},
		"tenant":          {license.Options{Tenant: "contoso"}, []uint64{1, 2, 3, 4, 5, 6, 1}},
		"product":         {license.Options{Product: "secure-share"}, []uint64{1, 2, 3, 4, 1, 2, 5, 6}},
		"source":          {contoso, []uint64{1, 2, 3, 4, 5, 6}},
		"user":            {with(func(o *license.Options) { o.User = "u-2" }), []uint64{2, 5}},
		"user anywhere":   {license.Options{User: "u-2"}, []uint64{2, 2, 5}},
		"type":            {with(func(o *license.Options) { o.Types = []string{event.TypeLicenseRevoked} }), []uint64{2, 4, 6}},
		"sequence":        {with(func(o *license.Options) { o.FromSequence = 4 }), []uint64{4, 5, 6}},
		"sequence, user":  {with(func(o *license.Options) { o.FromSequence, o.User = 3, "u-2" }), []uint64{5}},
		"next sequence":   {with(func(o *license.Options) { o.FromSequence = 7 }), nil},
		"stream sequence": {with(func(o *license.Options) { o.FromStreamSequence = 7 }), []uint64{5, 6}},
		"next in stream":  {license.Options{FromStreamSequence: 10}, nil},
		"time":            {with(func(o *license.Options) { o.Since = between }), []uint64{5, 6}},
		"long ago":        {with(func(o *license.Options) { o.Since = between.AddDate(-5, 0, 0) }), []uint64{1, 2, 3, 4, 5, 6}},
		"now":             {with(func(o *license.Options) { o.Since = time.Now().Add(time.Minute) }), nil},
		"nobody":          {license.Options{Tenant: "nobody"}, nil},
		"nobody's first":  {license.Options{Tenant: "nobody", Product: "p", FromSequence: 1}, nil},
	} {
		got, err := b.replay(t, c.options)
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
	for name, c := range map[string]struct {
		options license.Options
		want    error
	}{
		"future sequence":          {with(func(o *license.Options) { o.FromSequence = 8 }), license.ErrAhead},
		"nobody's second":          {license.Options{Tenant: "nobody", Product: "p", FromSequence: 2}, license.ErrAhead},
		"future in stream":         {license.Options{FromStreamSequence: 11}, license.ErrAhead},
		"sequence of no source":    {license.Options{Tenant: "contoso", FromSequence: 1}, nil},
		"two beginnings":           {with(func(o *license.Options) { o.FromSequence, o.Since = 1, between }), nil},
		"tenant with wildcard":     {license.Options{Tenant: "*"}, nil},
		"product with a subject":   {license.Options{Product: "a.b"}, nil},
		"user with a subject":      {license.Options{User: ">"}, nil},
		"tenant with an upper one": {license.Options{Tenant: "Contoso"}, nil},
	} {
		if _, err := b.replay(t, c.options); err == nil || (c.want != nil && !errors.Is(err, c.want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if stats := b.client.Stats(); stats != (license.Stats{}) {
		t.Errorf("something was left out: %+v", stats)
	}
}

func TestEventsAreTold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.grant(t, "contoso", "secure-share", 1, 1)
	b.publish(t, event.TypePolicyChanged, event.PolicySubject("contoso", "secure-share"), "", "contoso", "secure-share", 2,
		event.PolicyChanged{Tenant: "contoso", Product: "secure-share", Mode: "group-members", Group: "g-1"})
	b.publish(t, "io.rollcall.connection.lost.v1", "license.contoso.secure-share.connection", "", "contoso", "secure-share", 3, map[string]int{"code": 5})
	b.publish(t, "io.rollcall.license.suspended.v1", event.LicenseSubject("contoso", "secure-share", "u-9"), "u-9", "contoso", "secure-share", 4,
		event.Entitlement{Tenant: "contoso", Product: "secure-share", User: "u-9", Licensed: true})
	var got []license.Event
	err := b.client.Replay(t.Context(), license.Options{}, func(_ context.Context, e license.Event) error {
		got = append(got, e)
		return nil
	})
	if err != nil || len(got) != 4 {
		t.Fatalf("%d events, %v", len(got), err)
	}
	granted := got[0]
	want := license.Event{
		ID: "contoso.secure-share.1", Type: event.TypeLicenseGranted, Tenant: "contoso", Product: "secure-share", User: "u-1", Sequence: 1,
		StreamSequence: 1, Time: time.Unix(1_700_000_000, 0).UTC(), Cause: "because", Raw: granted.Raw,
		Entitlement: &event.Entitlement{Tenant: "contoso", Product: "secure-share", User: "u-1", Licensed: true, Reason: "group-member"},
	}
	if diff := cmp.Diff(want, granted); diff != "" {
		t.Error(diff)
	}
	if p := got[1].Policy; p == nil || p.Mode != "group-members" || got[1].Entitlement != nil {
		t.Errorf("policy: %+v", got[1])
	}
	if e := got[2]; e.Entitlement != nil || e.Policy != nil || len(e.Raw) == 0 || e.Sequence != 3 {
		t.Errorf("unknown type: %+v", e)
	}
	if e := got[3]; e.Entitlement == nil || !e.Entitlement.Licensed {
		t.Errorf("a license type to come: %+v", e)
	}
}

func TestWhatHasExpiredIsAnError(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.grant(t, "contoso", "secure-share", 1, 3)
	b.expireAll(t)
	for name, o := range map[string]license.Options{
		"sequence":        {Tenant: "contoso", Product: "secure-share", FromSequence: 3},
		"stream sequence": {FromStreamSequence: 3},
		"time":            {Since: time.Now().Add(-2 * time.Hour)},
	} {
		var expired *license.ExpiredError
		if _, err := b.replay(t, o); !errors.Is(err, license.ErrExpired) || !errors.As(err, &expired) || expired.OldestStreamSequence+expired.OldestSequence != 0 {
			t.Errorf("%s, nothing left: %v", name, err)
		}
	}
	if got, err := b.replay(t, license.Options{Tenant: "contoso", Product: "secure-share", FromSequence: 4}); got != nil || err != nil {
		t.Errorf("the next one: %v, %v", got, err)
	}
	if got, err := b.replay(t, license.Options{Tenant: "new", Product: "p", FromSequence: 1}); got != nil || err != nil {
		t.Errorf("a source without events: %v, %v", got, err)
	}
	b.grant(t, "contoso", "secure-share", 4, 6)
	for name, c := range map[string]struct {
		options          license.Options
		sequence, stream uint64
	}{
		"sequence":        {license.Options{Tenant: "contoso", Product: "secure-share", FromSequence: 3}, 4, 0},
		"stream sequence": {license.Options{FromStreamSequence: 3}, 0, 4},
		"time":            {license.Options{Since: time.Now().Add(-2 * time.Hour)}, 0, 4},
	} {
		_, err := b.replay(t, c.options)
		var expired *license.ExpiredError
		if !errors.As(err, &expired) || expired.OldestSequence != c.sequence || expired.OldestStreamSequence != c.stream || expired.OldestTime.IsZero() {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, o := range map[string]license.Options{
		"no beginning":    {},
		"oldest sequence": {Tenant: "contoso", Product: "secure-share", FromSequence: 4},
		"oldest stored":   {FromStreamSequence: 4},
		"young enough":    {Since: time.Now().Add(-30 * time.Minute)},
	} {
		if got, err := b.replay(t, o); err != nil || len(got) != 3 {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestAGapIsAnError(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.grant(t, "contoso", "secure-share", 1, 2)
	b.grant(t, "contoso", "secure-share", 4, 5)
	got, err := b.replay(t, license.Options{})
	var gap *license.GapError
	if !errors.As(err, &gap) || !errors.Is(err, license.ErrGap) || gap.After != 2 || gap.Got != 4 || gap.Tenant != "contoso" {
		t.Errorf("gap: %v", err)
	}
	if diff := cmp.Diff([]uint64{1, 2}, got); diff != "" {
		t.Errorf("handed on: %s", diff)
	}
	if _, err := b.replay(t, license.Options{Types: []string{"none"}}); !errors.Is(err, license.ErrGap) {
		t.Errorf("gap behind a filter of types: %v", err)
	}
	if _, err := b.replay(t, license.Options{Tenant: "contoso", Product: "secure-share", FromSequence: 3}); !errors.Is(err, license.ErrGap) {
		t.Errorf("asked for what is missing: %v", err)
	}
	if got, err := b.replay(t, license.Options{User: "u-1"}); err != nil || len(got) != 2 {
		t.Errorf("one user's events have gaps by nature: %v, %v", got, err)
	}
}

func TestRepeatsAndGarbageAreCounted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.grant(t, "contoso", "secure-share", 1, 3)
	b.grant(t, "contoso", "secure-share", 2, 3)
	for subject, body := range map[string]string{"license.contoso.secure-share.user.u": "garbage", "license.x": "{}"} {
		if _, err := b.bus.JetStream().Publish(t.Context(), subject, []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	// An event of one source under the subject of another.
	b.publish(t, event.TypeLicenseGranted, event.LicenseSubject("fabrikam", "secure-share", "u"), "u", "contoso", "secure-share", 4,
		event.Entitlement{Tenant: "contoso", Product: "secure-share", User: "u", Licensed: true})
	b.grant(t, "contoso", "secure-share", 4, 4)
	got, err := b.replay(t, license.Options{})
	if diff := cmp.Diff([]uint64{1, 2, 3, 4}, got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	if got := b.client.Stats(); got != (license.Stats{Repeats: 2, Malformed: 2}) {
		t.Errorf("%+v", got)
	}
}

func TestReplayEndsWithItsHandlersError(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.grant(t, "contoso", "secure-share", 1, 3)
	errEnough := errors.New("enough")
	calls := 0
	err := b.client.Replay(t.Context(), license.Options{Follow: true}, func(context.Context, license.Event) error {
		calls++
		return errEnough
	})
	if !errors.Is(err, errEnough) || calls != 1 {
		t.Errorf("%d calls, %v", calls, err)
	}
	b.server.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := b.client.Replay(ctx, license.Options{}, nil); !errors.Is(err, bus.ErrUnavailable) {
		t.Errorf("NATS away: %v", err)
	}
}
