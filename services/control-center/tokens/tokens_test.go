package tokens_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/control-center/tokens"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
)

type house struct {
	bus   *bus.Bus
	clock *clock.Fake
	store *tokens.Store
}

func open(t *testing.T) *house {
	t.Helper()
	h := &house{bus: bustest.New(t), clock: clock.NewFake(time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC))}
	var err error
	if h.store, err = tokens.Open(t.Context(), h.bus, h.clock); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) wanted() tokens.Wanted {
	return tokens.Wanted{
		Name: "billing", Role: access.TenantAdmin, Tenants: []string{"contoso"}, Scopes: []access.Scope{access.ScopeRead},
		By: "cli", Expires: h.clock.Now().Add(24 * time.Hour),
	}
}

func (h *house) make(t *testing.T, w tokens.Wanted) (string, tokens.Token) {
	t.Helper()
	secret, made, err := h.store.Make(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	return secret, made
}

func TestATokenIsGoodUntilItExpires(t *testing.T) {
	t.Parallel()
	h := open(t)
	secret, made := h.make(t, h.wanted())
	found, err := h.store.Find(t.Context(), secret)
	if diff := cmp.Diff(made, found, cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "LastUsed" }, cmp.Ignore())); err != nil || diff != "" {
		t.Fatalf("%v %s", err, diff)
	}
	p := found.Principal()
	if !event.ValidActor(p.ID) || p.ID != "token:"+made.ID || p.Role != access.TenantAdmin || !p.Sees("contoso") || p.Sees("initech") || p.Commands("contoso") {
		t.Errorf("%+v", p)
	}
	h.clock.Advance(24*time.Hour - time.Second)
	if _, err := h.store.Find(t.Context(), secret); err != nil {
		t.Errorf("in its last second: %v", err)
	}
	h.clock.Advance(time.Second)
	if _, err := h.store.Find(t.Context(), secret); !errors.Is(err, tokens.ErrRefused) {
		t.Errorf("when it has expired: %v", err)
	}
}

// What was never made, and what is nearly a token, is refused like one that was revoked.
func TestNoToken(t *testing.T) {
	t.Parallel()
	h := open(t)
	secret, _ := h.make(t, h.wanted())
	other, _ := h.make(t, h.wanted())
	last := secret[len(secret)-1]
	swap := map[bool]string{true: "b", false: "a"}[last == 'a']
	for name, s := range map[string]string{
		"nothing": "", "the prefix": tokens.Prefix, "without its prefix": secret[3:], "one letter other": secret[:len(secret)-1] + swap,
		"cut": secret[:len(secret)-1], "longer": secret + "a", "capitals": strings.ToUpper(secret), "a space": " " + secret, "a line": secret + "\n",
		"the id of another": other[:20] + secret[20:], "a wildcard": tokens.Prefix + ">",
	} {
		if _, err := h.store.Find(t.Context(), s); !errors.Is(err, tokens.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestARevokedTokenIsRefused(t *testing.T) {
	t.Parallel()
	h := open(t)
	secret, made := h.make(t, h.wanted())
	if gone, err := h.store.Revoke(t.Context(), made.ID); err != nil || gone.Name != "billing" {
		t.Fatal(gone, err)
	}
	if _, err := h.store.Find(t.Context(), secret); !errors.Is(err, tokens.ErrRefused) {
		t.Errorf("after it was revoked: %v", err)
	}
	for _, id := range []string{made.ID, "", ">", "*", strings.Repeat("a", 16), "nothing.at.all"} {
		if _, err := h.store.Revoke(t.Context(), id); !errors.Is(err, tokens.ErrNotFound) {
			t.Errorf("revoke %q: %v", id, err)
		}
	}
	if all, err := h.store.List(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("list: %v %v", all, err)
	}
}

func TestLastUseIsADay(t *testing.T) {
	t.Parallel()
	h := open(t)
	w := h.wanted()
	w.Expires = h.clock.Now().Add(tokens.MaxLife)
	secret, _ := h.make(t, w)
	for _, day := range []string{"", "2026-03-04", "2026-03-05"} {
		all, err := h.store.List(t.Context())
		if err != nil || len(all) != 1 || all[0].LastUsed != day {
			t.Fatalf("want %q: %+v %v", day, all, err)
		}
		if day != "" {
			h.clock.Advance(24 * time.Hour)
		}
		if _, err := h.store.Find(t.Context(), secret); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhatATokenCannotBe(t *testing.T) {
	t.Parallel()
	h := open(t)
	for says, spoil := range map[string]func(*tokens.Wanted){
		"name":              func(w *tokens.Wanted) { w.Name = "" },
		"letters":           func(w *tokens.Wanted) { w.Name = "ada@contoso.com" },
		"spaces":            func(w *tokens.Wanted) { w.Name = " a" },
		"role":              func(w *tokens.Wanted) { w.Role = "owner" },
		"bound":             func(w *tokens.Wanted) { w.Tenants = nil },
		"tenant":            func(w *tokens.Wanted) { w.Tenants = []string{"*"} },
		"scope":             func(w *tokens.Wanted) { w.Scopes = []access.Scope{"all"} },
		"an auditor":        func(w *tokens.Wanted) { w.Role, w.Scopes = access.Auditor, []access.Scope{access.ScopeCommands} },
		"by":                func(w *tokens.Wanted) { w.By = "ada@contoso.com" },
		"a time to come":    func(w *tokens.Wanted) { w.Expires = h.clock.Now() },
		"within a year":     func(w *tokens.Wanted) { w.Expires = h.clock.Now().Add(tokens.MaxLife + time.Second) },
		"expires":           func(w *tokens.Wanted) { w.Expires = time.Time{} },
		"scope \"commands,": func(w *tokens.Wanted) { w.Scopes = []access.Scope{"commands,read"} },
	} {
		w := h.wanted()
		spoil(&w)
		if secret, _, err := h.store.Make(t.Context(), w); err == nil || !strings.Contains(err.Error(), says) || secret != "" {
			t.Errorf("%s: %v", says, err)
		}
	}
	_, _, err := h.store.Make(t.Context(), tokens.Wanted{})
	for _, says := range []string{"name", "role", "by", "expires"} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("all at once, %s: %v", says, err)
		}
	}
}

// Whoever reads the bucket has no token.
func TestTheBucketHoldsNoToken(t *testing.T) {
	t.Parallel()
	h := open(t)
	secret, made := h.make(t, h.wanted())
	kv, err := h.bus.KeyValue(t.Context(), bus.BucketTokens)
	if err != nil {
		t.Fatal(err)
	}
	entry, err := kv.Get(t.Context(), made.ID)
	if err != nil {
		t.Fatal(err)
	}
	if random := secret[len(secret)-52:]; strings.Contains(string(entry.Value()), random) || strings.Contains(string(entry.Value()), tokens.Prefix) {
		t.Errorf("%s", entry.Value())
	}
}

func TestSweepForgetsWhatExpiredLongAgo(t *testing.T) {
	t.Parallel()
	h := open(t)
	_, short := h.make(t, h.wanted())
	w := h.wanted()
	w.Expires = h.clock.Now().Add(60 * 24 * time.Hour)
	_, long := h.make(t, w)
	for _, want := range [][]string{{short.ID, long.ID}, {long.ID}} {
		if err := h.store.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		all, err := h.store.List(t.Context())
		var ids []string
		for _, one := range all {
			ids = append(ids, one.ID)
		}
		slices.Sort(ids)
		slices.Sort(want)
		if err != nil || !slices.Equal(ids, want) {
			t.Errorf("%v, want %v: %v", ids, want, err)
		}
		h.clock.Advance(32 * 24 * time.Hour)
	}
}
