package ledger

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/search"
)

// usersSort is an order of users: by the segment that they are in, by a text or a number, and by another number.
type usersSort struct {
	name     string
	text     bool // the key is one
	segments []segment
	// The three of a user, as expressions on u, e and p.
	segment     func(*statement) string
	key, number string
	period      bool // p is needed: the period that began with the decision
}

// segment is one stretch of an order, whose users an index gives in their order.
type segment struct {
	table  string // as s
	where  func(*statement) string
	id     string
	key    string
	number string
	need   string // what else is so of its users, as a condition on s, u and e
	facts  facts
}

// facts are what is known of everybody in a segment.
type facts struct {
	decided, licensed truth
	guest             truth
	column            search.Field // by whose value it is sorted, so that the index finds those with one
}

// truth is what can be told of a condition before a user is looked at.
type truth int

const (
	unknown truth = iota
	no
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

func (l *usersList) sortOf() (usersSort, error) {
	var s usersSort
	switch sort := l.sortName(); sort {
	case SortName:
		s = l.byText("name_key")
	case SortAddress:
		s = l.byText("address_key")
	case SortStatus:
		s = l.byStatus()
	case SortLicensed:
		s = l.byDecision("reason", "''")
		s.text = true
		if l.at != 0 {
			s = l.byDecisionThen()
		}
		if l.Descending {
			slices.Reverse(s.segments)
			s.segment = is("2 - " + decisionSegment)
		}
	case SortSince:
		s = l.byDecision("since", "0")
	case SortChange:
		s = l.byChange()
	default:
		return s, fmt.Errorf("users cannot be sorted by %q", sort)
	}
	s.name = fmt.Sprint(l.sortName(), " ", l.Descending, " ", l.at)
	return s, nil
}

func (l *usersList) sortName() UsersSort {
	switch {
	case l.Sort == "":
		return SortName
	case l.Sort == SortSince && l.at != 0:
		return SortChange
	default:
		return l.Sort
	}
}

func ofTheTenant(q *statement) string  { return `s.tenant = ` + q.arg(q.list.tenant) }
func ofTheProduct(q *statement) string { return `s.product = ` + q.arg(q.list.product) }

func (l *usersList) everybody(key string) segment {
	return segment{table: "users", where: ofTheTenant, id: "s.id", key: key, number: "s.id"}
}

// is is an expression that is always the same.
func is(expression string) func(*statement) string {
	return func(*statement) string { return expression }
}

// byText is the order of names or addresses. Those that begin with what is sought come first: they are together in the index,
// and mostly are who is looked for, while others who are found by something else may be anywhere.
func (l *usersList) byText(column string) usersSort {
	s := usersSort{text: true, segments: []segment{l.everybody("s." + column)}, segment: is("0"), key: "u." + column, number: "u.id"}
	first, some := l.leading()
	if !some {
		return s
	}
	begins, others := s.segments[0], s.segments[0]
	begins.where = func(q *statement) string { return ofTheTenant(q) + ` AND ` + q.is("s."+column, first) }
	others.where = func(q *statement) string { return ofTheTenant(q) + ` AND NOT (` + q.is("s."+column, first) + `)` }
	s.segments = []segment{begins, others}
	s.segment = func(q *statement) string { return `CASE WHEN ` + q.is("u."+column, first) + ` THEN 0 ELSE 1 END` }
	return s
}

// leading is what a text begins with that all of the list have somewhere, if there is such a one.
func (l *usersList) leading() (s sought, some bool) {
	for _, t := range l.required() {
		if t.Prefix {
			return nameSought(t), true
		}
	}
	return s, false
}

// required are the terms that everybody of the list satisfies.
func (l *usersList) required() (terms []search.Term) {
	parts, all := l.Search.(search.All)
	if !all {
		parts = search.All{l.Search}
	}
	for _, part := range parts {
		if t, isTerm := part.(search.Term); isTerm {
			terms = append(terms, t)
		}
	}
	return terms
}

// undecided are those who were never licensed.
func (l *usersList) undecided(key string) segment {
	s := l.everybody(key)
	s.need, s.facts = "e.user_id IS NULL", facts{decided: no, licensed: no}
	return s
}

func (l *usersList) byStatus() usersSort {
	s := usersSort{text: true, segment: is("u.guest"), key: "u.status", number: "u.id"}
	for _, guest := range []bool{false, true} {
		of := l.everybody("s.status")
		of.where = func(q *statement) string { return ofTheTenant(q) + fmt.Sprint(` AND s.guest = `, flag(guest)) }
		of.facts = facts{guest: truthOf(guest), column: search.Is}
		s.segments = append(s.segments, of)
	}
	if l.Descending {
		slices.Reverse(s.segments)
		s.segment = is("1 - u.guest")
	}
	return s
}

const decisionSegment = `CASE WHEN e.licensed = 1 THEN 0 WHEN e.licensed = 0 THEN 1 ELSE 2 END`

// byDecision is the order of a column of the decisions that stand.
func (l *usersList) byDecision(column, none string) usersSort {
	s := usersSort{segment: is(decisionSegment), key: `COALESCE(e.` + column + `, ` + none + `)`, number: "u.id"}
	for _, licensed := range []bool{true, false} {
		of := segment{table: "entitlements", id: "s.user_id", key: "s." + column, number: "s.user_id", facts: facts{decided: yes, licensed: truthOf(licensed)}}
		of.where = func(q *statement) string { return ofTheProduct(q) + fmt.Sprint(` AND s.licensed = `, flag(licensed)) }
		if column == "reason" {
			of.facts.column = search.Reason
		}
		s.segments = append(s.segments, of)
	}
	s.segments = append(s.segments, l.undecided(none))
	return s
}

// byDecisionThen is the order of who was licensed at a moment.
func (l *usersList) byDecisionThen() usersSort {
	s := usersSort{segment: is(decisionSegment), key: "0", number: "u.id"}
	for _, licensed := range []bool{true, false} {
		of := l.everybody("0")
		of.need, of.facts = fmt.Sprint(`e.licensed = `, flag(licensed)), facts{decided: yes, licensed: truthOf(licensed)}
		s.segments = append(s.segments, of)
	}
	s.segments = append(s.segments, l.undecided("0"))
	return s
}

func (l *usersList) byChange() usersSort {
	s := usersSort{segment: is(`CASE WHEN e.user_id IS NULL THEN 1 ELSE 0 END`), key: `COALESCE(p.from_at, 0)`, number: `COALESCE(p.sequence, u.id)`, period: true}
	decided := segment{
		table: "history", id: "s.user_id", key: "s.from_at", number: "s.sequence", need: "e.sequence = s.n", facts: facts{decided: yes},
		where: func(q *statement) string {
			if q.list.at != 0 {
				return ofTheProduct(q) + ` AND s.from_at <= ` + q.arg(q.list.at)
			}
			return ofTheProduct(q) + ` AND s.to_at IS NULL`
		},
	}
	s.segments = []segment{decided, l.undecided("0")}
	return s
}

// allow reports whether anybody with these facts can be asked for.
func (f facts) allow(n search.Node) bool { return n == nil || f.tell(n) != no }

func (f facts) tell(n search.Node) truth {
	switch n := n.(type) {
	case search.All:
		return f.tellAll(n, no)
	case search.Any:
		return f.tellAll(n, yes)
	case search.Not:
		return [...]truth{unknown: unknown, no: yes, yes: no}[f.tell(n.Node)]
	case search.Term:
		return f.tellTerm(n)
	default:
		return unknown
	}
}

// tellAll is the truth that decides about all parts where one of them has it, and otherwise theirs if they agree.
func (f facts) tellAll(parts []search.Node, decides truth) truth {
	all := [...]truth{no: yes, yes: no}[decides]
	for _, part := range parts {
		switch t := f.tell(part); t {
		case decides:
			return decides
		case unknown:
			all = unknown
		default:
		}
	}
	return all
}

func (f facts) tellTerm(t search.Term) truth {
	switch {
	case t.Field == search.Is && t.Value == string(search.Licensed):
		return f.licensed
	case t.Field == search.Is && t.Value == string(search.Guest):
		return f.guest
	case t.Field == search.Reason && licensedBy[licensing.Reason(t.Value)] && f.licensed == no:
		return no
	default:
		return unknown
	}
}

// licensedBy are the reasons for which one is licensed.
var licensedBy = map[licensing.Reason]bool{licensing.DomainDefault: true, licensing.GroupMember: true, licensing.Held: true}

// place is where a page ends.
type place struct {
	Order   string `json:"o"` // of the list
	Segment int    `json:"s"`
	Text    string `json:"t,omitempty"`
	Key     int64  `json:"k,omitempty"`
	Number  int64  `json:"n"`
}

func (p place) String() string {
	body, err := json.Marshal(p)
	if err != nil {
		panic(err) // of strings and numbers
	}
	return base64.RawURLEncoding.EncodeToString(body)
}

// placeOf reads what a page has given as its Next.
func (s usersSort) placeOf(next string) (*place, error) {
	if next == "" {
		return nil, nil //nolint:nilnil // the begin is no place
	}
	p, err := readPlace(next, s.name)
	if err != nil || p.Segment >= len(s.segments) {
		return nil, ErrNoPage
	}
	return &p, nil
}

// readPlace reads the place that a page of an order has given as its Next.
func readPlace(next, order string) (p place, err error) {
	body, err := base64.RawURLEncoding.DecodeString(next)
	if err == nil {
		err = json.Unmarshal(body, &p)
	}
	if err != nil || p.Order != order || p.Segment < 0 || p.Text != storable(p.Text) {
		return place{}, ErrNoPage
	}
	return p, nil
}

// keyOf is the first of what a place is compared by.
func (s usersSort) keyOf(p place) any {
	if s.text {
		return p.Text
	}
	return p.Key
}
