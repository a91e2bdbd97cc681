package control_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

func TestPlansAreChecked(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
	tenths := map[control.FaultKind]float64{control.Throttled: 0.1, control.Failed: 0.2, control.Forbidden: 0.1, control.Expired: 0.1, control.Cut: 0.3, control.HalfPage: 0.2, control.Slow: 1}
	for _, good := range []control.Plan{{}, {Rates: tenths, From: now, Until: now.Add(1)}, {Until: now}} {
		if err := good.Check(); err != nil {
			t.Errorf("%+v: %v", good, err)
		}
	}
	for want, bad := range map[string]control.Plan{
		`fault "none"`:            {Rates: map[control.FaultKind]float64{"none": 0}},
		"rate of slow":            {Rates: map[control.FaultKind]float64{control.Slow: -0.1}},
		"rate of cut":             {Rates: map[control.FaultKind]float64{control.Cut: 1.1}},
		"add up to more":          {Rates: map[control.FaultKind]float64{control.Cut: 0.6, control.Failed: 0.6}},
		"a time is below 0":       {Delay: -1},
		"it ends before it beg":   {From: now, Until: now},
		"plan: a time is below 0": {RetryAfter: -1},
	} {
		if err := bad.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func TestRatesAreParsed(t *testing.T) {
	t.Parallel()
	got, err := control.ParseRates([]string{"cut=0.5", "all=1e-2"})
	want := map[control.FaultKind]float64{}
	for _, kind := range control.FaultKinds() {
		want[kind] = 0.01
	}
	want[control.Cut] = 0.5
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
	for _, bad := range []string{"", "cut", "cut=", "cut=x", "cut=NaN", "cut=-1", "cut=2", "none=0", "=0", "cut=0,5"} {
		if _, err := control.ParseRates([]string{bad}); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	if _, err := control.ParseRates([]string{"cut=0", "cut=0"}); err == nil {
		t.Error("a kind was taken twice")
	}
}

// FuzzParseRates holds that what is read as rates is kinds that there are, at rates that can be.
func FuzzParseRates(f *testing.F) {
	f.Add("throttled=0.1 all=0")
	f.Add("cut=+Inf")
	f.Add("slow=0x1p-3")
	f.Fuzz(func(t *testing.T, line string) {
		rates, err := control.ParseRates(strings.Fields(line))
		if err != nil {
			return
		}
		sum := 0.0
		for _, rate := range rates {
			sum += rate
		}
		err = control.Plan{Rates: rates}.Check()
		if err != nil && sum <= 1 {
			t.Fatalf("%q: %v", line, err)
		}
	})
}
