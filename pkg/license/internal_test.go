package license

import (
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

func TestTimeExpired(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	now := time.Unix(1_700_000_000, 0)
	quiet := jetstream.StreamState{Msgs: 3, FirstSeq: 8, LastSeq: 10, FirstTime: now.Add(-10 * day)}
	for name, c := range map[string]struct {
		since  time.Duration // before now
		maxAge time.Duration
		state  jetstream.StreamState
		want   bool
	}{
		"nothing has ever gone":                   {1000 * day, 400 * day, jetstream.StreamState{Msgs: 1, FirstSeq: 1, LastSeq: 1, FirstTime: now}, false},
		"never anything there":                    {1000 * day, 400 * day, jetstream.StreamState{}, false},
		"younger than the oldest":                 {9 * day, 400 * day, quiet, false},
		"before the oldest, too young to be gone": {30 * day, 400 * day, quiet, false},
		"before the oldest, old enough":           {401 * day, 400 * day, quiet, true},
		"all gone":                                {401 * day, 400 * day, jetstream.StreamState{FirstSeq: 11, LastSeq: 10}, true},
		"all gone, too young to be gone":          {30 * day, 400 * day, jetstream.StreamState{FirstSeq: 11, LastSeq: 10}, false},
		"gone without an age":                     {30 * day, 0, quiet, true},
		"at the edge":                             {400*day - 30*time.Second, 400 * day, quiet, true},
	} {
		if got := timeExpired(now.Add(-c.since), now, c.maxAge, c.state); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Whatever a message holds, Decode answers with an event of the contract or ErrMalformed.
func FuzzDecode(f *testing.F) {
	const head = `{"specversion":"1.0","id":"t.p.1","type":"io.rollcall.license.granted.v1","source":"urn:rollcall:license:t:p",`
	f.Add([]byte(head + `"subject":"u","sequence":"00000000000000000001","data":{"tenant":"t","product":"p","user":"u","licensed":true}}`))
	f.Add([]byte(head + `"subject":"u","sequence":"1","data":{"tenant":"x","product":"p","user":"u"}}`))
	f.Add([]byte(head + `"sequence":"0","data":null}`))
	f.Add([]byte(head + `"sequence":1}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := Decode(body)
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Errorf("fault is no ErrMalformed: %v", err)
			}
			return
		}
		if e.Tenant == "" || e.Product == "" || e.Sequence == 0 || e.ID == "" {
			t.Errorf("incomplete: %+v", e)
		}
		var fold Fold
		if fold.Apply(e) != (e.Entitlement != nil) {
			t.Errorf("does not fold: %+v", e)
		}
	})
}
