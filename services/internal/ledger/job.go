package ledger

// JobKind says what a job does.
type JobKind string

// The kinds of jobs. At most one of a kind is under way for a product.
const (
	JobApply    JobKind = "apply"    // decides all users under the policy in force
	JobSurvey   JobKind = "survey"   // lists what a flip would change
	JobReview   JobKind = "review"   // decides all users, but lists those who would lose their license
	JobAnnounce JobKind = "announce" // tells the list of a held change
	JobClose    JobKind = "close"    // goes through the list of a held change that was closed
	JobSeats    JobKind = "seats"    // gives free seats to those who wait
)

// Job is work on many users of one product, done in chunks in the order of their numbers.
type Job struct {
	Product int64
	Kind    JobKind
	After   int64  // users up to this one are done
	Cause   string // the event that what follows names as its cause
	Held    int64  // the held change that it works on; 0: none
}

// PutJob stores how far a job has come, and begins it where it is new.
func (tx *Tx) PutJob(j Job) error {
	return tx.exec(`INSERT INTO jobs (product, kind, after, cause, held) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (product, kind) DO UPDATE SET after = excluded.after, cause = excluded.cause, held = excluded.held`,
		j.Product, string(j.Kind), j.After, j.Cause, j.Held)
}

// DropJob ends a job. It does not matter whether there is one.
func (tx *Tx) DropJob(product int64, kind JobKind) error {
	return tx.exec(`DELETE FROM jobs WHERE product = $1 AND kind = $2`, product, string(kind))
}

// DropJobs ends all jobs of a product.
func (tx *Tx) DropJobs(product int64) error {
	return tx.exec(`DELETE FROM jobs WHERE product = $1`, product)
}

// Job returns a product's job of a kind, if it is under way.
func (tx *Tx) Job(product int64, kind JobKind) (j Job, found bool, err error) {
	j.Product, j.Kind = product, kind
	found, err = tx.get(`SELECT after, cause, held FROM jobs WHERE product = $1 AND kind = $2`,
		[]any{product, string(kind)}, &j.After, &j.Cause, &j.Held)
	return j, found, err
}

// Busy reports whether any job of a tenant is under way.
func (tx *Tx) Busy(tenant int64) (bool, error) {
	var n int
	_, err := tx.get(`SELECT COUNT(*) FROM jobs j JOIN products p ON p.id = j.product WHERE p.tenant = $1`, []any{tenant}, &n)
	return n > 0, err
}

// NextJob returns a job of a partition and its tenant, if there is one: the one that is least advanced. A tenant that is
// paused, or whose mirror is not complete, rests, and while one is frozen so does whatever revokes.
func (tx *Tx) NextJob(part int) (j Job, tenant int64, found bool, err error) {
	found, err = tx.get(`SELECT j.product, j.kind, j.after, j.cause, j.held, p.tenant
		FROM jobs j JOIN products p ON p.id = j.product JOIN tenants t ON t.id = p.tenant
		WHERE t.part = $1 AND t.paused = 0 AND t.restoring = 0 AND (t.frozen = 0 OR j.kind NOT IN ('apply', 'close'))
		ORDER BY j.after, j.product, j.kind LIMIT 1`, []any{part},
		&j.Product, &j.Kind, &j.After, &j.Cause, &j.Held, &tenant)
	return j, tenant, found, err
}
