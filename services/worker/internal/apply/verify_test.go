package apply_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

// verify compares the whole ledger with what was told. It looks at the tables themselves, and trusts no reader of ours.
func (h *harness) verify() {
	h.t.Helper()
	db := h.raw()
	defer func() { _ = db.Close() }()
	for source, r := range h.records {
		at := strings.Split(strings.TrimPrefix(source, "urn:rollcall:license:"), ":")
		v := verifier{harness: h, db: db, record: r, tenant: at[0], product: at[1]}
		v.decisions()
		v.periods()
		v.recorded()
		v.causes()
		v.holds()
		v.seats()
	}
}

// raw opens the database beside the ledger.
func (h *harness) raw() *sql.DB {
	h.t.Helper()
	driver, source := "pgx", h.address
	if !strings.HasPrefix(source, "postgres:") {
		driver, source = "sqlite", "file:"+(&url.URL{Path: source}).EscapedPath()
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		h.t.Fatal(err)
	}
	return db
}

// verifier compares one product.
type verifier struct {
	*harness
	db              *sql.DB
	record          *record
	tenant, product string
}

// of is what a query on a table of products ends with. Its parameters come first.
const of = ` JOIN products p ON p.id = x.product JOIN tenants t ON t.id = p.tenant WHERE t.name = $1 AND p.name = $2 `

// rows returns the rows of a query as lines.
func (v verifier) rows(query string) []string {
	v.t.Helper()
	rows, err := v.db.QueryContext(context.Background(), query, v.tenant, v.product)
	if err != nil {
		v.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	lines := []string{}
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			v.t.Fatal(err)
		}
		lines = append(lines, line)
	}
	if err := rows.Err(); err != nil {
		v.t.Fatal(err)
	}
	slices.Sort(lines)
	return lines
}

func (v verifier) same(what string, want, got []string) {
	v.t.Helper()
	slices.Sort(want)
	if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
		v.t.Fatalf("%s of %s of %s (-told +ledger):\n%s", what, v.product, v.tenant, diff)
	}
}

// decisions compares what stands.
func (v verifier) decisions() {
	v.t.Helper()
	var want []string
	for user, e := range v.record.users {
		want = append(want, fmt.Sprintf("%s %v %s %d", user, e.Licensed, e.Reason, e.Since.UnixMicro()))
	}
	v.same("decisions", want, v.rows(`SELECT u.ref || CASE x.licensed WHEN 1 THEN ' true ' ELSE ' false ' END || x.reason || ' ' || x.since
		FROM entitlements x JOIN users u ON u.id = x.user_id`+of))
	v.same("licensed", []string{fmt.Sprint(len(v.record.licensed()))},
		v.rows(`SELECT CAST(x.used AS TEXT) FROM products x JOIN products p ON p.id = x.id JOIN tenants t ON t.id = p.tenant
			WHERE t.name = $1 AND p.name = $2`))
}

// periods checks that there is one for each license event, that they have no hole, and that only the last is open.
func (v verifier) periods() {
	v.t.Helper()
	var want []string
	open := map[string]int64{}
	for _, ev := range v.record.all {
		if ev.Subject() == "" {
			continue
		}
		e := dataOf[event.Entitlement](v.t, ev)
		if from, follows := open[e.User]; follows {
			want = append(want, fmt.Sprintf("%s %d %d", e.User, from, ev.Time().UnixMicro()))
		}
		open[e.User] = ev.Time().UnixMicro()
	}
	for user, from := range open {
		want = append(want, fmt.Sprintf("%s %d now", user, from))
	}
	v.same("periods", want, v.rows(`SELECT u.ref || ' ' || x.from_at || ' ' || COALESCE(CAST(x.to_at AS TEXT), 'now')
		FROM history x JOIN users u ON u.id = x.user_id`+of))
}

// recorded checks that every event that is no license event is kept.
func (v verifier) recorded() {
	v.t.Helper()
	var want []string
	for _, ev := range v.record.all {
		if ev.Subject() == "" {
			want = append(want, fmt.Sprintf("%s %s %d %s", ev.Type(), event.Cause(ev), ev.Time().UnixMicro(), compact(v.t, ev.Data())))
		}
	}
	var got []string
	for _, row := range v.rows(`SELECT x.type || ' ' || x.cause || ' ' || x.at || ' ' || x.data FROM records x` + of) {
		words := strings.SplitN(row, " ", 4)
		words[3] = compact(v.t, []byte(words[3]))
		got = append(got, strings.Join(words, " "))
	}
	slices.Sort(got)
	v.same("records", want, append([]string{}, got...))
}

func compact(t fataler, data []byte) string {
	t.Helper()
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// causes follows every event to what the worker was sent: over events of the product, if need be, which come before it.
func (v verifier) causes() {
	v.t.Helper()
	known := map[string]bool{}
	for _, line := range v.rows(`SELECT x.event_id || ' ' || x.type || ' ' || x.at || ' ' || x.cause || ' ' || x.by_whom
		FROM causes x JOIN tenants t ON t.id = x.tenant JOIN products p ON p.tenant = t.id WHERE t.name = $1 AND p.name = $2`) {
		known[line] = true
	}
	for _, ev := range v.record.all {
		cause := event.Cause(ev)
		if before, told := v.record.causes[cause]; told {
			if n, _ := event.Sequence(before); n >= must(event.Sequence(ev)) {
				v.t.Fatalf("%s names %s as its cause", ev.ID(), cause)
			}
			continue
		}
		m, sent := v.sent[cause]
		if !sent {
			v.t.Fatalf("%s names %q as its cause, which nobody knows: %s", ev.ID(), cause, ev)
		}
		var by struct {
			By          string
			RequestedBy string `json:"requested_by"` // of a refresh
		}
		_ = json.Unmarshal(m.Event.Data(), &by)
		want := fmt.Sprintf("%s %s %d %s %s", cause, m.Event.Type(), m.Event.Time().Truncate(time.Microsecond).UnixMicro(), event.Cause(m.Event), by.By+by.RequestedBy)
		if !known[want] {
			v.t.Fatalf("%s is not among the causes, for %s; they are %v", want, ev.ID(), known)
		}
	}
}

func must[T any](value T, _ error) T { return value }

// holds compares the held changes that are open, with their lists as far as these are told.
func (v verifier) holds() {
	v.t.Helper()
	var want, lists []string
	for _, h := range v.record.holds {
		want = append(want, fmt.Sprintf("%s %s r%d", h.Held, h.Kind, h.revision))
		for _, u := range h.list {
			lists = append(lists, fmt.Sprintf("%s %s %v %s", h.Held, u.User, u.Licensed, u.Reason))
		}
	}
	v.same("held changes", want, v.rows(`SELECT x.ref || ' ' || x.kind || ' r' || x.revision FROM held x`+of+`AND x.state = 'open'`))
	if len(v.rows(`SELECT x.kind FROM jobs x`+of+`AND x.kind = 'announce'`)) > 0 {
		return
	}
	v.same("lists", lists, v.rows(`SELECT x.ref || ' ' || u.ref || CASE l.licensed WHEN 1 THEN ' true ' ELSE ' false ' END || l.reason
		FROM held x JOIN held_users l ON l.held = x.id JOIN users u ON u.id = l.user_id`+of+`AND x.state = 'open' AND l.listed = 1`))
	var counts []string
	for _, h := range v.record.holds {
		grants := 0
		for _, u := range h.list {
			if u.Licensed {
				grants++
			}
		}
		counts = append(counts, fmt.Sprintf("%s +%d -%d", h.Held, grants, len(h.list)-grants))
	}
	v.same("counts", counts, v.rows(`SELECT x.ref || ' +' || x.grants || ' -' || x.revocations FROM held x`+of+`AND x.state = 'open'`))
}

// seats compares the seats and the line.
func (v verifier) seats() {
	v.t.Helper()
	var line []string
	for user, place := range v.record.line {
		line = append(line, fmt.Sprintf("%s %d", user, place))
	}
	v.same("waiting line", line, v.rows(`SELECT u.ref || ' ' || x.place FROM waiting x JOIN users u ON u.id = x.user_id`+of))
	if reflect.DeepEqual(v.record.seats, event.SeatsChanged{}) {
		return
	}
	purchased := -1
	if v.record.seats.Purchased != nil {
		purchased = *v.record.seats.Purchased
	}
	v.same("seats", []string{fmt.Sprintf("%d %v", purchased, v.record.seats.Enforce)},
		v.rows(`SELECT x.purchased || CASE x.enforce WHEN 1 THEN ' true' ELSE ' false' END FROM products x JOIN products p ON p.id = x.id
			JOIN tenants t ON t.id = p.tenant WHERE t.name = $1 AND p.name = $2`))
}

// states are the kinds of contoso's held changes for Secure Share and what has become of them, in order.
func (h *harness) states() string {
	h.t.Helper()
	db := h.raw()
	defer func() { _ = db.Close() }()
	v := verifier{harness: h, db: db, tenant: "contoso", product: share}
	var states []string
	for _, row := range v.rows(`SELECT CAST(x.id + 1000 AS TEXT) || ' ' || x.kind || ' ' || x.state FROM held x` + of) {
		_, state, _ := strings.Cut(row, " ")
		states = append(states, state)
	}
	return strings.Join(states, ", ")
}

func (h *harness) rowsIn(table string) (n int) {
	h.t.Helper()
	db := h.raw()
	defer func() { _ = db.Close() }()
	if err := db.QueryRowContext(context.Background(), `SELECT COUNT(*) FROM `+table).Scan(&n); err != nil {
		h.t.Fatal(err)
	}
	return n
}

// erased forgets what was told of a tenant, but for the sequences: its ledger has forgotten it too.
func (h *harness) erased(tenantID string) {
	h.t.Helper()
	h.drain()
	for source, r := range h.records {
		if strings.HasPrefix(source, event.LicenseSource(tenantID, "")) {
			fresh := newRecord()
			fresh.sequence, fresh.seats = r.sequence, r.seats
			h.records[source] = fresh
		}
	}
}
