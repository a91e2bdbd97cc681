package health_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/health"
)

// days are what was said of the credential since it was asked last, where that is another than before: the days, "-" for none, with
// the class that was said with it.
func (b *bench) days(before *event.CredentialSeen) (said []string, last *event.CredentialSeen) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, o := range b.told {
		if c := o.Credential; c != nil && (before == nil || *before != *c) {
			word := fmt.Sprint(c.Days)
			if c.Days == 0 {
				word = "-"
			}
			said, before = append(said, word+o.Class), c
		}
	}
	b.told = nil
	return said, before
}

// expectDays wants to have been told these days of the credential, and no others.
func (b *bench) expectDays(what string, before *event.CredentialSeen, want ...string) *event.CredentialSeen {
	b.t.Helper()
	got, last := b.days(before)
	if fmt.Sprint(got) != fmt.Sprint(want) {
		b.t.Errorf("%s: told %q, want %q", what, got, want)
	}
	return last
}

const day = 24 * time.Hour

func TestACredentialIsSaidAtEachThreshold(t *testing.T) {
	t.Parallel()
	in(t, health.Config{}, func(b *bench) {
		ends := time.Now().Add(40 * day)
		b.until(ends, nil)
		b.watch.Worked("round", nil)
		b.after(time.Second)
		last := b.expectDays("it does not end soon", nil, "-")
		for _, at := range []struct {
			days int
			want string
		}{{30, "30"}, {7, "7"}, {1, "1"}} {
			b.after(time.Until(ends.Add(-time.Duration(at.days)*day - time.Minute)))
			last = b.expectDays("before the threshold", last)
			b.after(time.Hour + time.Minute)
			last = b.expectDays("within an hour of it", last, at.want)
			if want := "The key ends at " + ends.UTC().Format("2006-01-02 15:04 MST") + "."; last.Detail != want || last.Action != "Make another one." {
				t.Errorf("told %+v", last)
			}
		}
		if got := testutil.ToFloat64(gauge(b)); got != float64(ends.Unix()) {
			t.Errorf("the metric says %v, it ends at %d", got, ends.Unix())
		}
		b.after(2 * day)
		last = b.expectDays("it has ended", last, "-")
		b.until(ends.Add(365*day), nil)
		b.after(time.Hour)
		if last = b.expectDays("it was replaced", last, "-"); !last.Expires.Equal(ends.Add(365 * day)) {
			t.Errorf("told %+v", last)
		}
		b.until(time.Time{}, nil)
		b.after(time.Hour)
		b.expectDays("by one without an end", last, "-")
		if n := testutil.CollectAndCount(gauge(b)); n != 0 {
			t.Errorf("%d metrics are left", n)
		}
	})
}

// What ends soon is said of a connection that is degraded too, and what cannot be looked at stands as it was.
func TestACredentialOfADegradedConnection(t *testing.T) {
	t.Parallel()
	in(t, health.Config{}, func(b *bench) {
		ends := time.Now().Add(30*day + 2*time.Hour)
		b.until(ends, nil)
		b.each(30*time.Second, 6*time.Minute, b.failing(consent))
		last := b.expectDays("it is degraded", nil, "-consent")
		b.each(time.Minute, 3*time.Hour, b.failing(consent))
		last = b.expectDays("and its credential ends", last, "30consent")
		b.until(time.Time{}, errors.New("no such file"))
		b.each(time.Minute, 3*time.Hour, b.failing(error(fault(receiver.SignIn))))
		if last = b.expectDays("the file is away", last); last.Days != 30 {
			t.Errorf("told %+v", last)
		}
	})
}
