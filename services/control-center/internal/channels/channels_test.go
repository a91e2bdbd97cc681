package channels_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/channels"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/channel"
)

func TestMain(m *testing.M) { bustest.VerifyNoLeaks(m) }

var nine = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// TestChannelsOfATenant: the live ones first, those of no other tenant, and what has expired by now says so.
func TestChannelsOfATenant(t *testing.T) {
	t.Parallel()
	b, c := bustest.New(t), clock.NewFake(nine)
	kv, err := b.KeyValue(t.Context(), bus.BucketChannels)
	if err != nil {
		t.Fatal(err)
	}
	put := func(key string, r any) {
		t.Helper()
		body, err := json.Marshal(r)
		if err == nil {
			_, err = kv.Put(t.Context(), key, body)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	put("contoso.late", channel.Record{Name: "late", Resource: "users", Expires: nine.Add(2 * time.Hour)})
	put("contoso.soon", channel.Record{Name: "soon", Resource: "groups", Expires: nine.Add(time.Hour)})
	put("contoso.asked", channel.Record{Name: "asked", State: channel.Pending, Expires: nine.Add(time.Minute)})
	put("contoso.old", channel.Record{Name: "old", State: channel.Ended, Expires: nine.Add(5 * time.Hour)})
	put("fabrikam.other", channel.Record{Name: "other", Expires: nine.Add(time.Hour)})
	book := channels.NewBook(kv, c)
	states := func() (all []string, sum channels.Sum) {
		t.Helper()
		list, err := book.Of(t.Context(), "contoso")
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range list {
			all = append(all, one.Name+" "+string(one.State))
		}
		return all, channels.SumOf(list)
	}
	got, sum := states()
	if diff := cmp.Diff([]string{"soon live", "late live", "asked pending", "old ended"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(channels.Sum{Live: 2, Expires: nine.Add(time.Hour)}, sum); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	c.Advance(time.Hour)
	got, sum = states()
	if diff := cmp.Diff([]string{"late live", "asked pending", "soon expired", "old ended"}, got); diff != "" || sum.Live != 1 {
		t.Errorf("an hour later, %+v (-want +got):\n%s", sum, diff)
	}
	put("contoso.broken", "x")
	if got, _ := states(); len(got) != 4 {
		t.Errorf("a moment later it is asked again: %v", got)
	}
	c.Advance(5 * time.Second)
	if _, err := book.Of(t.Context(), "contoso"); err == nil {
		t.Error("what cannot be read is no channel less")
	}
}
