package clock_test

import (
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
)

var start = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

func received(c <-chan time.Time) (time.Time, bool) {
	select {
	case at := <-c:
		return at, true
	default:
		return time.Time{}, false
	}
}

func TestFakeFiresTimersThatAreDue(t *testing.T) {
	t.Parallel()
	f := clock.NewFake(start)
	early, late := f.NewTimer(time.Second), f.After(time.Minute)

	f.Advance(time.Second - 1)
	if _, ok := received(early.C()); ok {
		t.Fatal("a timer fired before its time")
	}
	f.Advance(1)
	if at, ok := received(early.C()); !ok || !at.Equal(start.Add(time.Second)) {
		t.Fatalf("timer at one second: received %v, %v", at, ok)
	}
	if _, ok := received(late); ok {
		t.Fatal("the later timer fired with the earlier one")
	}
	f.Advance(time.Hour)
	if at, ok := received(late); !ok || !at.Equal(start.Add(time.Minute)) {
		t.Fatalf("timer at one minute: received %v, %v", at, ok)
	}
	if !f.Now().Equal(start.Add(time.Second + time.Hour)) {
		t.Fatalf("now is %v", f.Now())
	}
}

func TestFakeStopAndReset(t *testing.T) {
	t.Parallel()
	f := clock.NewFake(start)
	timer := f.NewTimer(time.Second)
	if !timer.Stop() || timer.Stop() {
		t.Fatal("Stop must report whether the timer was pending")
	}
	f.Advance(time.Minute)
	if _, ok := received(timer.C()); ok {
		t.Fatal("a stopped timer fired")
	}
	timer.Reset(time.Second)
	f.Advance(time.Second)
	timer.Reset(time.Second)
	if _, ok := received(timer.C()); ok {
		t.Fatal("a value from before the reset was left")
	}
	timer.Reset(0)
	if _, ok := received(timer.C()); !ok {
		t.Fatal("a timer of no length did not fire at once")
	}
}

func TestFakeBlockUntilWaitsForWaiters(t *testing.T) {
	t.Parallel()
	f := clock.NewFake(start)
	woken := make(chan time.Time, 1)
	go func() { woken <- <-f.After(time.Hour) }()
	f.BlockUntil(1)
	f.Advance(time.Hour)
	if at := <-woken; !at.Equal(start.Add(time.Hour)) {
		t.Fatalf("woken with %v", at)
	}
}

func TestSystemKeepsTheContract(t *testing.T) {
	t.Parallel()
	c := clock.System()
	before := c.Now()
	timer := c.NewTimer(time.Hour)
	if !timer.Stop() || timer.Reset(time.Millisecond) {
		t.Fatal("Stop and Reset must report whether the timer was pending")
	}
	<-timer.C()
	<-c.After(time.Millisecond)
	if !c.Now().After(before) {
		t.Fatal("time stood still")
	}
}
