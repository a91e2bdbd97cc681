package event_test

import (
	"bytes"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

// Whatever the attributes hold, Marshal writes what the SDK writes, and refuses what it refuses.
func TestMarshalIsNewAndEncode(t *testing.T) {
	t.Parallel()
	odd := shared(rapid.OneOf(rapid.Just(""), tokens, texts, rapid.Just("a b"), rapid.Just("é"), rapid.Just("%zz"), rapid.Just("a\"b<c>&")))
	rapid.Check(t, func(t *rapid.T) {
		meta := event.Meta{
			ID: odd.Draw(t, "id"), Source: odd.Draw(t, "source"), Subject: odd.Draw(t, "subject"), Tenant: odd.Draw(t, "tenant"),
			Cause: odd.Draw(t, "cause"), TraceParent: odd.Draw(t, "trace"), Sequence: rapid.Uint64().Draw(t, "sequence"),
			Time: rapid.OneOf(instants, rapid.Just(time.Time{}), rapid.Just(time.Unix(1, 1).In(time.FixedZone("", 3600)))).Draw(t, "time"),
		}
		data := map[string]string{"text": odd.Draw(t, "data")}
		quick, quickErr := event.Marshal(event.TypePolicyChanged, meta, data)
		ev, err := event.New(event.TypePolicyChanged, meta, data)
		if (err != nil) != (quickErr != nil) {
			t.Fatalf("New says %v, Marshal %v", err, quickErr)
		}
		if err != nil {
			return
		}
		body, err := event.Encode(ev)
		if err != nil || !bytes.Equal(body, quick) {
			t.Fatalf("%v\n%s\nwant\n%s", err, quick, body)
		}
	})
}

func BenchmarkMarshal(b *testing.B) {
	meta := event.Meta{
		ID: event.LicenseID("contoso", "secure-share", 7), Source: event.LicenseSource("contoso", "secure-share"), Subject: "ann",
		Time: time.Unix(1, 0), Tenant: "contoso", Cause: "in.1", Sequence: 7,
	}
	data := event.Entitlement{Tenant: "contoso", Product: "secure-share", User: "ann", Licensed: true, Since: meta.Time, Reason: "group-member", Path: []string{"g"}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := event.Marshal(event.TypeLicenseGranted, meta, data); err != nil {
			b.Fatal(err)
		}
	}
}
