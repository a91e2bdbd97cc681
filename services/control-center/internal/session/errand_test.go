package session_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/session"
)

const ten = 10 * time.Minute

type errand struct{ Where string }

func (h *house) errand(b *browser, kind, where string) string {
	b.t.Helper()
	name, err := h.sessions.BeginErrand(b.request(), kind, ten, errand{where})
	if err != nil {
		b.t.Fatal(err)
	}
	if len(name) < 26 { // of base32: 128 bits
		b.t.Errorf("the name %q can be guessed", name)
	}
	return name
}

func TestAnErrandIsOfOneSessionAndKind(t *testing.T) {
	t.Parallel()
	h, b, other := open(t, session.Config{}), newBrowser(t), newBrowser(t)
	if _, err := h.sessions.BeginErrand(b.request(), "consent", ten, errand{}); !errors.Is(err, session.ErrNoErrand) {
		t.Errorf("an errand of nobody: %v", err)
	}
	h.begin(b, ada)
	h.begin(other, ada)
	name := h.errand(b, "consent", "contoso")
	for what, err := range map[string]error{
		"another session":   h.sessions.TakeErrand(other.request(), "consent", name, new(errand)),
		"no session":        h.sessions.TakeErrand(newBrowser(t).request(), "consent", name, new(errand)),
		"another kind":      h.sessions.TakeErrand(b.request(), "connect", name, new(errand)),
		"another name":      h.sessions.TakeErrand(b.request(), "consent", strings.ToLower(name), new(errand)),
		"no name":           h.sessions.TakeErrand(b.request(), "consent", "", new(errand)),
		"read by another":   h.sessions.Errand(other.request(), "consent", name, new(errand)),
		"changed by others": h.sessions.ChangeErrand(other.request(), "consent", name, errand{"fabrikam"}),
	} {
		if !errors.Is(err, session.ErrNoErrand) {
			t.Errorf("%s: %v", what, err)
		}
	}
	var found errand
	if err := h.sessions.Errand(b.request(), "consent", name, &found); err != nil || found.Where != "contoso" {
		t.Errorf("%+v, %v", found, err)
	}
	if err := h.sessions.ChangeErrand(b.request(), "consent", name, errand{"initech"}); err != nil {
		t.Error(err)
	}
	if err := h.sessions.TakeErrand(b.request(), "consent", name, &found); err != nil || found.Where != "initech" {
		t.Errorf("%+v, %v", found, err)
	}
	// Who signs in anew is in another session, and has none of it.
	name = h.errand(b, "consent", "contoso")
	h.begin(b, ada)
	if err := h.sessions.TakeErrand(b.request(), "consent", name, new(errand)); !errors.Is(err, session.ErrNoErrand) {
		t.Errorf("of the session before: %v", err)
	}
}

func TestAnErrandIsUsedOnce(t *testing.T) {
	t.Parallel()
	h, b := open(t, session.Config{}), newBrowser(t)
	h.begin(b, ada)
	name := h.errand(b, "consent", "contoso")
	var took sync.Map
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			err := h.sessions.TakeErrand(b.request(), "consent", name, new(errand))
			if err != nil && !errors.Is(err, session.ErrNoErrand) {
				t.Error(err)
			}
			if err == nil {
				took.Store(n, true)
			}
		})
	}
	all.Wait()
	n := 0
	took.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("it was used %d times", n)
	}
	if err := h.sessions.TakeErrand(b.request(), "consent", name, new(errand)); !errors.Is(err, session.ErrNoErrand) {
		t.Errorf("replayed: %v", err)
	}
}

func TestAnErrandExpires(t *testing.T) {
	t.Parallel()
	h, b := open(t, session.Config{}), newBrowser(t)
	h.begin(b, ada)
	name := h.errand(b, "consent", "contoso")
	h.clock.Advance(ten - time.Second)
	if err := h.sessions.ChangeErrand(b.request(), "consent", name, errand{"contoso"}); err != nil { // which gives it no more time
		t.Error(err)
	}
	if err := h.sessions.Errand(b.request(), "consent", name, new(errand)); err != nil {
		t.Errorf("a second too early: %v", err)
	}
	h.clock.Advance(time.Second)
	if err := h.sessions.Errand(b.request(), "consent", name, new(errand)); !errors.Is(err, session.ErrNoErrand) {
		t.Errorf("too late: %v", err)
	}
	if err := h.sessions.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	kv, err := h.bus.KeyValue(t.Context(), bus.BucketSessions)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := kv.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		if strings.HasPrefix(key, "errand.") {
			t.Error("it is left behind")
		}
		if strings.Contains(key, name) {
			t.Error("its name is kept")
		}
	}
}
