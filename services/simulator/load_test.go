package simulator_test

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// TestLargeTenant makes a tenant of 20,000 users, half of them in one group, and holds that one change is answered
// without reading them, that a page costs the same at the end as at the beginning, and that it all is there again
// from a snapshot.
func TestLargeTenant(t *testing.T) {
	t.Parallel()
	cfg := simulator.Config{DataDir: t.TempDir()}
	s := contoso(t, cfg)
	ctx := t.Context()
	must(s.control.Generate(ctx, "contoso", control.Generate{Users: 20_000, Seed: 1}))(t)
	users := must(s.control.Users(ctx, "contoso"))(t)
	members := make([]string, 10_000)
	for i := range members {
		members[i] = users[i].ID
	}
	group := s.group(control.NewGroup{Address: "half@contoso.com"})
	if c := must(s.control.AddMembers(ctx, "contoso", group, members...))(t); c.Count != len(members) {
		t.Fatalf("%d joined", c.Count)
	}
	path := "/groups/delta?$select=id,members&$filter=id+eq+'" + group + "'"
	values, link, pages := s.pages(path)
	seen := 0
	for _, v := range values {
		seen += len(v["members@delta"].([]any))
	}
	if seen != len(members) || pages != 10 {
		t.Errorf("%d members on %d pages", seen, pages)
	}
	must(s.control.RemoveMembers(ctx, "contoso", group, members[0]))(t)
	before := must(s.control.Counters(ctx, "contoso"))(t)
	out := s.get(link)
	after := must(s.control.Counters(ctx, "contoso"))(t)
	if got := after["GET /groups/delta token"].Members - before["GET /groups/delta token"].Members; got != 1 {
		t.Errorf("one change was told with %d members", got)
	}
	link = out["@odata.deltaLink"].(string)
	base, token := s.server.URL(), s.token
	s.stop()
	if names, _ := filepath.Glob(filepath.Join(cfg.DataDir, "snapshot-1.jsonl")); len(names) != 1 {
		t.Error("a long journal was not folded into a snapshot")
	}
	if info, err := os.Stat(filepath.Join(cfg.DataDir, "journal-1.jsonl")); err != nil || info.Size() != 0 {
		t.Errorf("the new journal: %v %v", info, err)
	}
	cfg.Addr = base[len("https://"):]
	s = start(t, cfg, nil)
	s.token = token
	must(s.control.Suspend(ctx, "contoso", users[19_999].ID))(t)
	must(s.control.AddMembers(ctx, "contoso", group, members[0]))(t)
	if values, _, _ := s.pages(link); len(values) != 1 || len(values[0]["members@delta"].([]any)) != 1 {
		t.Errorf("from the snapshot: %v", values)
	}
}

func TestNotificationsAreSentAtOnce(t *testing.T) {
	t.Parallel()
	s := contoso(t, simulator.Config{AllowLoopbackHTTP: true})
	h := newHook(t)
	ann := s.user("ann")
	if status, out := s.subscribe("/users", h.URL); status != http.StatusCreated {
		t.Fatal(out)
	}
	var delays []time.Duration
	for i := range 21 {
		act := s.control.Suspend
		if i%2 == 1 {
			act = s.control.Unsuspend
		}
		change := must(act(t.Context(), "contoso", ann))(t)
		h.next(t)
		delays = append(delays, time.Since(change.At))
	}
	if slices.Sort(delays); delays[len(delays)/2] > 500*time.Millisecond {
		t.Errorf("half of the notifications took longer than %s", delays[len(delays)/2])
	}
	t.Logf("median %s, longest %s", delays[len(delays)/2], delays[len(delays)-1])
}
