package ledger

// Snapshot is a full read that has begun and whose effects are not all out yet.
type Snapshot struct {
	Tenant   int64
	Ref      string // its id everywhere else
	Pages    int    // that were applied
	Ended    bool   // its end marker was applied
	Unproven int    // candidates that could not be read
	// The tenant's counts when it began: what came after is its effect, or happened beside it.
	GrantedUntil, RevokedUntil, RemovedUntil int64
}

// Snapshot returns a snapshot, beginning it where it is new.
func (tx *Tx) Snapshot(t Tenant, ref string) (Snapshot, error) {
	s := Snapshot{Tenant: t.ID, Ref: ref, GrantedUntil: t.Granted, RevokedUntil: t.Revoked, RemovedUntil: t.Removed}
	found, err := tx.get(`SELECT pages, ended, unproven, granted_until, revoked_until, removed_until
		FROM snapshots WHERE tenant = $1 AND ref = $2`, []any{t.ID, ref},
		&s.Pages, &s.Ended, &s.Unproven, &s.GrantedUntil, &s.RevokedUntil, &s.RemovedUntil)
	if found || err != nil {
		return s, err
	}
	return s, tx.exec(`INSERT INTO snapshots (tenant, ref, granted_until, revoked_until, removed_until)
		VALUES ($1, $2, $3, $4, $5)`, t.ID, ref, s.GrantedUntil, s.RevokedUntil, s.RemovedUntil)
}

// SaveSnapshot stores what changes of a snapshot.
func (tx *Tx) SaveSnapshot(s Snapshot) error {
	return tx.exec(`UPDATE snapshots SET pages = $1, ended = $2, unproven = $3 WHERE tenant = $4 AND ref = $5`,
		s.Pages, flag(s.Ended), s.Unproven, s.Tenant, s.Ref)
}

// DropSnapshot forgets a snapshot and the proofs that it still waits for.
func (tx *Tx) DropSnapshot(s Snapshot) error {
	if err := tx.exec(`DELETE FROM proofs WHERE tenant = $1 AND snapshot = $2`, s.Tenant, s.Ref); err != nil {
		return err
	}
	return tx.exec(`DELETE FROM snapshots WHERE tenant = $1 AND ref = $2`, s.Tenant, s.Ref)
}

// DropAbandoned forgets the snapshots that have not ended: a tenant is read in full once at a time, so when another one
// has ended they never will.
func (tx *Tx) DropAbandoned(t Tenant) error {
	return tx.exec(`DELETE FROM snapshots WHERE tenant = $1 AND ended = 0`, t.ID)
}

// DoneSnapshots returns the tenant's snapshots that have ended and wait for no proof.
func (tx *Tx) DoneSnapshots(t Tenant) (done []Snapshot, err error) {
	err = tx.each(`SELECT ref, pages, unproven, granted_until, revoked_until, removed_until FROM snapshots s
		WHERE tenant = $1 AND ended = 1
		AND NOT EXISTS (SELECT 1 FROM proofs p WHERE p.tenant = s.tenant AND p.snapshot = s.ref) ORDER BY ref`,
		[]any{t.ID}, func(row scanner) error {
			s := Snapshot{Tenant: t.ID, Ended: true}
			err := row.Scan(&s.Ref, &s.Pages, &s.Unproven, &s.GrantedUntil, &s.RevokedUntil, &s.RemovedUntil)
			done = append(done, s)
			return err
		})
	return done, err
}

// AwaitProof remembers that a snapshot waits for the answer to a request.
func (tx *Tx) AwaitProof(s Snapshot, request string) error {
	return tx.exec(`INSERT INTO proofs (tenant, request, snapshot) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
		s.Tenant, request, s.Ref)
}

// ProofCame forgets a request and reports whether it was waited for.
func (tx *Tx) ProofCame(tenant int64, request string) (bool, error) {
	before := tx.rows
	err := tx.exec(`DELETE FROM proofs WHERE tenant = $1 AND request = $2`, tenant, request)
	return tx.rows > before, err
}

// Live counts the tenant's users and groups that are in the directory.
func (tx *Tx) Live(tenant int64) (users, groups int, err error) {
	if _, err := tx.get(countUsers, []any{tenant}, &users); err != nil {
		return 0, 0, err
	}
	_, err = tx.get(countGroups, []any{tenant}, &groups)
	return users, groups, err
}

const (
	countUsers  = `SELECT COUNT(*) FROM users WHERE tenant = $1 AND status NOT IN ('', 'deleted')`
	countGroups = `SELECT COUNT(*) FROM groups WHERE tenant = $1 AND state = 'live'`
)
