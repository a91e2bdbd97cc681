package ledgertest

import (
	"context"
	"database/sql"
	"fmt"
	"hash/fnv"
	"strings"
	"testing"
	"time"
)

// Crowd is a tenant as years of use leave it: of its users some are suspended, guests or deleted, some are licensed by a
// group in the provisioning group, some wait or are held, and decisions have changed at all times before At. Which is drawn
// from the number of a user, so that a crowd of a size is always the same.
type Crowd struct {
	Tenant, Product, Domain string
	Users                   int
	At                      time.Time
}

// CrowdGroup is the address of the i-th group inside the provisioning group of a Crowd, of CrowdGroups.
func (c Crowd) CrowdGroup(i int) string { return fmt.Sprintf("team%d@%s", i, c.Domain) }

// CrowdGroups is how many groups there are in the provisioning group of a Crowd.
const CrowdGroups = 200

// LoadCrowd puts a Crowd into a ledger as Load does.
func LoadCrowd(tb testing.TB, address string, c Crowd) {
	tb.Helper()
	Load(tb, address, Bulk{
		Tenant: c.Tenant, Product: c.Product, Domain: c.Domain, Group: "provisioning", Address: c.Product + "@" + c.Domain, At: c.At, Users: 1, Members: 1,
	})
	db, err := openRaw(address)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	tx, err := db.BeginTx(tb.Context(), nil)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if strings.HasPrefix(address, "postgres") {
		if _, err := tx.ExecContext(tb.Context(), `SET LOCAL session_replication_role = 'replica'`); err != nil {
			tb.Fatal(err)
		}
	}
	l := &crowdLoad{Crowd: c, ctx: tb.Context(), tx: tx, rows: map[string][]string{}}
	if l.load(); l.err != nil {
		tb.Fatal(l.err)
	}
	if err := tx.Commit(); err != nil {
		tb.Fatal(err)
	}
	if strings.HasPrefix(address, "postgres") {
		if _, err := db.ExecContext(tb.Context(), "VACUUM ANALYZE"); err != nil {
			tb.Fatal(err)
		}
	}
}

// crowdLoad collects rows and writes many at once.
type crowdLoad struct {
	Crowd
	ctx      context.Context //nolint:containedctx // it lives for one call
	tx       *sql.Tx
	rows     map[string][]string // by what inserts them
	err      error
	tenant   int64
	product  int64
	group    int64 // the provisioning group
	sequence int
}

func (l *crowdLoad) id(query string) (id int64) {
	if l.err == nil {
		l.err = l.tx.QueryRowContext(l.ctx, query).Scan(&id)
	}
	return id
}

// row adds a row whose values need no quotes but those of strings, which have none in them.
func (l *crowdLoad) row(into string, values ...any) {
	texts := make([]string, len(values))
	for i, v := range values {
		if s, isText := v.(string); isText {
			v = "'" + s + "'"
		}
		texts[i] = fmt.Sprint(v)
	}
	l.rows[into] = append(l.rows[into], "("+strings.Join(texts, ",")+")")
	if len(l.rows[into]) == 2000 {
		l.flush(into)
	}
}

func (l *crowdLoad) flush(into string) {
	if l.err == nil && len(l.rows[into]) > 0 {
		_, l.err = l.tx.ExecContext(l.ctx, "INSERT INTO "+into+" VALUES "+strings.Join(l.rows[into], ","))
	}
	l.rows[into] = l.rows[into][:0]
}

const crowdUsers = "users (tenant, ref, name, name_key, addresses, address_key, status, guest, epoch, counter)"

func (l *crowdLoad) load() {
	l.tenant = l.id(`SELECT id FROM tenants WHERE name = '` + l.Tenant + `'`)
	l.product = l.id(`SELECT id FROM products WHERE tenant = ` + fmt.Sprint(l.tenant))
	l.group = l.id(`SELECT id FROM groups WHERE tenant = ` + fmt.Sprint(l.tenant))
	const groups = "groups (tenant, ref, name, name_key, addresses, kind, state, epoch, counter)"
	first, firstGroup := l.id(`SELECT COALESCE(MAX(id), 0) + 1 FROM users`), l.group+1
	for i := range CrowdGroups {
		name, address, id := fmt.Sprint("Team ", i), l.CrowdGroup(i), firstGroup+int64(i)
		l.row(groups, l.tenant, fmt.Sprint("team-", i), name, strings.ToLower(name), address, "security", "live", 1, 1)
		l.row("group_addresses (tenant, address, group_id)", l.tenant, address, id)
		l.row("memberships (group_id, kind, member, present, epoch, counter)", l.group, 2, id, 1, 1, 1)
	}
	for i := range l.Users {
		l.user(i, first+int64(i), firstGroup)
	}
	for into := range l.rows {
		l.flush(into)
	}
	l.id(fmt.Sprintf(`UPDATE products SET sequence = %d, used = (SELECT COUNT(*) FROM entitlements WHERE product = %d AND licensed = 1)
		WHERE id = %d RETURNING id`, l.sequence, l.product, l.product))
}

var (
	crowdFirst = strings.Fields("Adele Alex Allan Amber Ann Ben Bianca Brian Carla Chris Dan Dana Daniel Debra Diego Emily Enrico Fatima Grady Grace " +
		"Henrietta Irvin Isaiah Johanna Jordan Joni Lee Lidia Lynne Megan Miriam Nestor Patti Pradeep Quinn Raul Rosa Sam Tanja Ursula Vance Wes Xu Yara Zoe")
	crowdBegins = strings.Fields("An Bel Cor Dun El Far Gar Hol Ir Jor Kel Lam Mor Nev Ol Per Quin Ros Sil Tor Ul Van Wil Xan Yor Zel")
	crowdMiddle = strings.Fields("a be ci do en fi go ha in ka la me no pe ri so ta u vi wa")
	crowdEnds   = strings.Fields("berg den ford gate ham kin ley man ner ridge sen smith son ton ville well wood worth by stein")
)

func (l *crowdLoad) user(i int, id, firstGroup int64) {
	h := crowdHash(i)
	pick := func(n int) int { r := int(h % uint64(n)); h /= uint64(n); return r }
	name := crowdFirst[pick(len(crowdFirst))] + " " + crowdBegins[pick(len(crowdBegins))] + crowdMiddle[pick(len(crowdMiddle))] + crowdEnds[pick(len(crowdEnds))]
	main := strings.ToLower(strings.ReplaceAll(name, " ", ".")) + fmt.Sprint(i) + "@" + l.Domain
	h = crowdHash(i + 1<<30)
	status, guest := "active", 0
	switch p := pick(100); {
	case p < 5:
		status = "suspended"
	case p < 6:
		status = "archived"
	case p < 8:
		status = "deleted"
	case p < 18:
		guest = 1
	}
	l.row(crowdUsers, l.tenant, UserRef(i+2), name, strings.ToLower(name), main, main, status, guest, 1, 1)
	l.row("user_addresses (tenant, address, user_id)", l.tenant, main, id)
	if guest == 1 || pick(10) < 4 { // never a member
		if guest == 0 && status == "active" && pick(200) == 0 {
			l.row("waiting (product, user_id, place)", l.product, id, i)
		}
		return
	}
	group := l.group
	if pick(4) == 0 {
		group = firstGroup + int64(pick(CrowdGroups))
	}
	l.row("memberships (group_id, kind, member, present, epoch, counter)", group, 1, id, 1, 1, 1)
	l.decide(id, group, status, pick)
}

func (l *crowdLoad) decide(id, group int64, status string, pick func(int) int) {
	path := fmt.Sprint(l.group)
	if group != l.group {
		path += fmt.Sprint(",", group)
	}
	at := l.At.Add(-time.Duration(pick(500_000)) * time.Minute).UnixMicro()
	licensed, reason := 1, "group-member"
	switch {
	case status == "deleted":
		licensed, reason, path = 0, "deleted", ""
	case status != "active":
		licensed, reason, path = 0, "suspended", ""
	case pick(20) == 0:
		licensed, reason, path = 0, "not-a-member", ""
	case pick(1000) == 0:
		reason = "held"
	}
	l.sequence++
	if licensed == 0 || pick(3) == 0 {
		before := at - int64(pick(100_000))*60_000_000 - 1
		l.row("history (product, user_id, sequence, from_at, to_at, licensed, reason, path, cause)", l.product, id, l.sequence, before, at, 1, "group-member",
			fmt.Sprint(l.group), "bulk")
		l.sequence++
	}
	l.row("history (product, user_id, sequence, from_at, licensed, reason, path, cause)", l.product, id, l.sequence, at, licensed, reason, path, "bulk")
	l.row("entitlements (product, user_id, licensed, since, reason, path, sequence)", l.product, id, licensed, at, reason, path, l.sequence)
	if pick(2) == 0 {
		l.row("activations (product, user_id, at)", l.product, id, at)
	}
}

func crowdHash(i int) uint64 {
	h := fnv.New64a()
	_, _ = fmt.Fprint(h, i, "crowd")
	return h.Sum64() >> 1
}
