package cli_test

import (
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSeatsAreCountedAndLimited has a limit enforced, somebody wait in line, and the use reported.
func TestSeatsAreCountedAndLimited(t *testing.T) {
	t.Parallel()
	h := open(t, 50*time.Millisecond)
	h.connect(t)
	before := len(h.active(t))
	members := h.flip(t, 3)
	next := h.active(t)[3]
	args := []string{"--tenant", "contoso", "--product", "secure-share"}
	h.must(t, append([]string{"seats", "set", "--purchased", "3", "--enforce"}, args...)...)
	if _, stderr, code := h.run(t, "seats", "set", "--tenant", "contoso", "--product", "drive", "--purchased", "3"); code != 1 || !strings.Contains(stderr, "it has secure-share") {
		t.Errorf("another product: %d %s", code, stderr)
	}
	h.must(t, "simulate", "add-member", next)
	h.awaitLicensed(t, next, false, "over-seat-limit")
	if out := h.must(t, "explain", "--tenant", "contoso", "--user", next); !strings.Contains(out, "no seat was free, and this user is the next to get one (place 1)") {
		t.Errorf("explain who waits:\n%s", out)
	}
	shown := ask[struct {
		Used, Purchased, Waiting, Over int
		Enforce                        bool
		Line                           []struct{ Addresses []string }
	}](t, h, append([]string{"seats", "show"}, args...)...)
	if shown.Used != 3 || shown.Purchased != 3 || !shown.Enforce || shown.Waiting != 1 || !slices.Contains(shown.Line[0].Addresses, next) {
		t.Errorf("seats show: %+v", shown)
	}
	if out := h.must(t, "seats", "show", "--tenant", "contoso"); !strings.Contains(out, "place 1 ") || !strings.Contains(out, next) {
		t.Errorf("seats show:\n%s", out)
	}
	h.must(t, append([]string{"seats", "set", "--purchased", "4"}, args...)...)
	h.awaitLicensed(t, next, true, "group-member")
	h.must(t, append([]string{"seats", "set", "--purchased", "1", "--enforce=false"}, args...)...)
	if out := h.must(t, "seats", "show", "--tenant", "contoso"); !strings.Contains(out, "OVER") || !strings.Contains(out, "3 more are used") {
		t.Errorf("over-use:\n%s", out)
	}
	if !h.licensed(t, members[0]) {
		t.Error("over-use was cut")
	}
	h.reports(t, before)
}

func (h *house) reports(t *testing.T, peak int) {
	t.Helper()
	report := ask[struct {
		Peak, Over int
		Days       []struct {
			Date             string
			Used, Peak, Over int
			Purchased        *int
		}
	}](t, h, "seats", "report", "--tenant", "contoso")
	if last := report.Days[len(report.Days)-1]; report.Peak != peak || report.Over != 3 || len(report.Days) != 30 || last.Used != 4 || last.Peak != peak || *last.Purchased != 1 {
		t.Errorf("report: %+v", report)
	}
	if report.Days[0].Purchased != nil || report.Days[0].Peak != 0 {
		t.Errorf("before there was anything: %+v", report.Days[0])
	}
	today := time.Now().UTC().Format(time.DateOnly)
	out, stderr, code := h.run(t, "seats", "report", "--tenant", "contoso", "--from", today, "--to", today, "-o", "csv")
	lines, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if want := []string{today, "4", fmt.Sprint(peak), "1", "3", "no"}; code != 0 || err != nil || len(lines) != 2 || !slices.Equal(lines[1], want) {
		t.Errorf("csv: %d, %v: %q", code, err, lines)
	}
	if !strings.Contains(stderr, fmt.Sprintf("at most %d seats used", peak)) {
		t.Errorf("beside the csv: %s", stderr)
	}
}
