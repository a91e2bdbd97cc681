package clock_test

import (
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
)

func TestScaledGoesAsManyTimesAsFast(t *testing.T) {
	t.Parallel()
	origin := time.Now().Add(-time.Minute)
	early := time.Now()
	shown := clock.Scaled(origin, 60).Now()
	late := time.Now()
	if least, most := origin.Add(60*early.Sub(origin)), origin.Add(60*late.Sub(origin)); shown.Before(least.Add(-time.Second)) || shown.After(most.Add(time.Second)) {
		t.Fatalf("a minute after its origin a clock of factor 60 shows %s, want %s to %s", shown, least, most)
	}
}

func TestScaledTimersKeepTheContract(t *testing.T) {
	t.Parallel()
	c := clock.Scaled(time.Now(), 3_600_000) // an hour takes a millisecond
	began := c.Now()
	timer := c.NewTimer(time.Hour)
	if at := <-timer.C(); at.Before(began.Add(time.Hour)) {
		t.Fatalf("a timer of an hour sent %s, %s after it was set", at, at.Sub(began))
	}
	if timer.Stop() || timer.Reset(1e6*time.Hour) || !timer.Stop() {
		t.Fatal("Stop and Reset must report whether the timer was pending")
	}
	timer.Reset(time.Nanosecond)
	<-c.After(time.Hour) // by now it has fired
	timer.Reset(1e6 * time.Hour)
	if at, ok := received(timer.C()); ok {
		t.Fatalf("a value from before the reset was left: %s", at)
	}
}
