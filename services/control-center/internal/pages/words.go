package pages

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// badge is a word for what is so, with a sign and a colour.
type badge struct{ Kind, Icon, Text string }

func licensedBadge(licensed bool) badge {
	if licensed {
		return badge{"good", "check", "Licensed"}
	}
	return badge{"plain", "minus", "Not licensed"}
}

func statusBadge(s directory.Status, guest bool) badge {
	switch {
	case s == directory.Active && guest:
		return badge{"plain", "dot", "Active guest"}
	case s == directory.Active:
		return badge{"plain", "dot", "Active"}
	case s == directory.Suspended:
		return badge{"warn", "pause", "Suspended"}
	case s == directory.Archived:
		return badge{"warn", "pause", "Archived"}
	case s == directory.Deleted:
		return badge{"bad", "x", "Deleted"}
	}
	return badge{"plain", "dot", string(s)}
}

// moment is a time, as text and for programs.
type moment struct {
	At   string // RFC 3339; empty for none
	Text string
	Day  string
	Age  int // in seconds; of ages alone
}

// momentOf tells a time to the second, in UTC: auditors compare them.
func momentOf(t time.Time) moment {
	if t.IsZero() {
		return moment{}
	}
	t = t.UTC()
	return moment{At: t.Format(time.RFC3339), Text: t.Format("2 Jan 2006, 15:04:05 UTC"), Day: t.Format("2 Jan 2006")}
}

// ageOf tells how long ago something was, in the words that rollcall.js counts on in.
func (p *Pages) ageOf(t time.Time) moment {
	if t.IsZero() {
		return moment{}
	}
	age := max(0, p.deps.Clock.Now().Sub(t))
	m := momentOf(t)
	m.Age = int(age / time.Second)
	switch s := m.Age; {
	case s < 90:
		m.Text = fmt.Sprintf("%d s ago", s)
	case s < 5400:
		m.Text = fmt.Sprintf("%d min ago", s/60)
	case s < 129600:
		m.Text = fmt.Sprintf("%d h ago", s/3600)
	default:
		m.Text = fmt.Sprintf("%d days ago", s/86400)
	}
	return m
}

// untilOf tells how long it is to a moment.
func (p *Pages) untilOf(t time.Time) string {
	left := t.Sub(p.deps.Clock.Now())
	switch {
	case left <= 0:
		return "over"
	case left < 90*time.Minute:
		return fmt.Sprintf("in %d min", int(left/time.Minute)+1)
	case left < 36*time.Hour:
		return fmt.Sprintf("in %d h", int(left/time.Hour))
	}
	return fmt.Sprintf("in %d days", int(left/(24*time.Hour)))
}

// number writes thousands apart.
func number[T ~int | ~int64 | ~uint64](n T) string {
	text := strconv.FormatInt(int64(n), 10)
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return sign + text
}

// count is a number with its noun.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + many
}

// upTo is a count that may have ended before the last.
func upTo(n ledger.UsersCount) string {
	if n.More {
		return "at least " + number(n.Users)
	}
	return number(n.Users)
}

func upToUsers(n ledger.UsersCount) string {
	if n.More {
		return "at least " + number(n.Users) + " users"
	}
	return count(n.Users, "user", "users")
}

func first(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return all[0]
}

func providerWord(p directory.Provider) string {
	switch p {
	case directory.Entra:
		return "Microsoft Entra ID"
	case directory.GoogleWorkspace:
		return "Google Workspace"
	}
	return string(p)
}

func roleWord(r access.Role) string {
	switch r {
	case access.Operator:
		return "Operator"
	case access.TenantAdmin:
		return "Tenant admin"
	case access.Auditor:
		return "Auditor, read-only"
	}
	return string(r)
}

// sentence begins with a capital and ends with a full stop.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	if c := s[0]; c >= 'a' && c <= 'z' {
		s = string(c-'a'+'A') + s[1:]
	}
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}
