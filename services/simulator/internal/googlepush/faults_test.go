package googlepush_test

import (
	"bytes"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/googlepush"
)

func TestPushModes(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	r.watch("one", resource)
	r.hub.Set(control.Push{Mode: control.PushHold, Duplicates: 1})
	ann := r.addUser("ann")
	r.clock.Advance(time.Hour)
	r.hub.Set(control.Push{Mode: control.PushOff})
	r.suspend(ann, true)
	r.hub.Set(control.Push{Mode: control.PushOn, Duplicates: 1})
	r.suspend(ann, false)
	a, b := r.next(), r.next()
	if number(t, a) != number(t, b) || !bytes.Equal(a.body, b.body) {
		t.Error("a duplicate has another number or body")
	}
	r.none()
}

// all returns the pushes that are to come without the clock being moved.
func (r *rig) all() []push {
	r.t.Helper()
	var out []push
	for !r.hub.Idle() || len(r.pushes) > 0 {
		select {
		case p := <-r.pushes:
			out = append(out, p)
		default:
			runtime.Gosched()
		}
	}
	return out
}

func TestDelayedPushesLoseTheirOrder(t *testing.T) {
	t.Parallel()
	arrive := func(t *testing.T, seed uint64) []int {
		t.Helper()
		r := newRig(t, "")
		r.watch("one", resource)
		r.hub.Set(control.Push{Mode: control.PushOn, Delay: 3 * time.Hour, Seed: seed})
		for i := range 20 {
			r.addUser(fmt.Sprintf("user%d", i))
		}
		var numbers []int
		for len(numbers) < 20 {
			r.clock.BlockUntil(1)
			r.clock.Advance(10 * time.Minute)
			for _, p := range r.all() {
				numbers = append(numbers, number(t, p))
			}
		}
		return numbers
	}
	numbers := arrive(t, 7)
	if slices.IsSorted(numbers) {
		t.Errorf("in order: %v", numbers)
	}
	slices.Sort(numbers)
	if len(slices.Compact(numbers)) != 20 {
		t.Errorf("some were lost: %v", numbers)
	}
}

func TestDroppedPushesAreTheSameForASeed(t *testing.T) {
	t.Parallel()
	arrive := func(seed uint64) string {
		r := newRig(t, "")
		r.watch("one", resource)
		r.hub.Set(control.Push{Mode: control.PushOn, Drop: 0.5, Seed: seed})
		for i := range 40 {
			r.addUser(fmt.Sprintf("user%d", i))
		}
		var names []string
		for _, p := range r.all() {
			_, name, _ := strings.Cut(string(p.body), `"primaryEmail":"`)
			name, _, _ = strings.Cut(name, `"`)
			names = append(names, name)
		}
		slices.Sort(names)
		return strings.Join(names, " ")
	}
	first := arrive(1)
	if again := arrive(1); again != first {
		t.Errorf("first %s, then %s", first, again)
	}
	if n := len(strings.Fields(first)); n < 5 || n > 35 {
		t.Errorf("%d of 40 came", n)
	}
}

func TestSyncMayComeLate(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	r.hub.Set(control.Push{Mode: control.PushHold, SyncLate: true})
	if _, err := r.hub.Watch(t.Context(), r.owner(), resource, r.asked("one")); err != nil {
		t.Fatal(err)
	}
	r.none()
	r.hub.Set(control.Push{Mode: control.PushOn})
	if p := r.next(); p.header.Get("X-Goog-Resource-State") != "sync" {
		t.Errorf("%v", p.header)
	}
}

func TestContentTypesTakeTurns(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	r.watch("one", resource)
	types := []string{"application/json", "application/json; charset=UTF-8"}
	r.hub.Set(control.Push{Mode: control.PushOn, ContentTypes: types})
	r.addUser("ann")
	if p := r.next(); p.header.Get("Content-Type") != types[number(t, p)%2] {
		t.Errorf("%v", p.header)
	}
}

func TestChannelsLastOverARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var before googlepush.Channel
	t.Run("before", func(t *testing.T) {
		r := newRig(t, dir)
		before = r.watch("one", resource)
	})
	r := newRig(t, dir)
	if _, err := r.hub.Watch(t.Context(), r.owner(), resource, r.asked("one")); reason(err) != "channelIdNotUnique" {
		t.Errorf("%v", err)
	}
	if err := r.hub.Stop(r.owner(), api, googlepush.Channel{ID: "one", ResourceID: before.ResourceID}); err != nil {
		t.Error(err)
	}
}

func TestProcessingIsSuccess(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	r.watch("one", resource)
	r.status <- http.StatusProcessing // an answer on the way, and then 200
	r.addUser("ann")
	r.next()
	r.clock.Advance(time.Minute)
	r.watch("two", resource)
	r.none()
}

// FuzzReadChannel holds that any body is read or refused, and that what is read is refused by the bounds or lives no
// longer than a channel may.
func FuzzReadChannel(f *testing.F) {
	f.Add(`{"id":"a","type":"web_hook","address":"https://initech.com/hook","expiration":"1795424400000","params":{"ttl":"60"},"payload":true}`)
	f.Add(`{"id":"a","type":"web_hook","address":"https://initech.com","expiration":1795424400000,"payload":"true"}`)
	f.Add(`{"params":{"ttl":"99999999999999999999"}}`)
	f.Add(`[]`)
	f.Add(``)
	f.Fuzz(func(t *testing.T, raw string) {
		c, err := googlepush.ReadChannel(strings.NewReader(raw))
		if err != nil {
			if reason(err) != "parseError" {
				t.Fatalf("%v", err)
			}
			return
		}
		expires, err := c.Granted(start, false)
		if err == nil && (!expires.After(start) || expires.After(start.Add(googlepush.LongestLife))) {
			t.Fatalf("%s lives until %s", raw, expires)
		}
	})
}
