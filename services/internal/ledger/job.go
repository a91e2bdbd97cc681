package ledger

// JobKind says what a job does.
type JobKind string

// The kinds of jobs. A product has at most one of a kind under way for each held change, and one for none.
const (
	JobApply    JobKind = "apply"    // decides all users under the policy in force
	JobSurvey   JobKind = "survey"   // lists what a flip would change
	JobReview   JobKind = "review"   // decides all users, but lists those who would lose their license
	JobAnnounce JobKind = "announce" // tells the list of a held change
	JobClose    JobKind = "close"    // goes through the list of a held change that was closed
	JobSeats    JobKind = "seats"    // gives free seats to those who wait
	JobErase    JobKind = "erase"    // forgets all of a tenant
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
		ON CONFLICT (product, kind, held) DO UPDATE SET after = excluded.after, cause = excluded.cause`,
		j.Product, string(j.Kind), j.After, j.Cause, j.Held)
}

// DropJob ends a job. It does not matter whether there is one.
func (tx *Tx) DropJob(j Job) error {
	return tx.exec(`DELETE FROM jobs WHERE product = $1 AND kind = $2 AND held = $3`, j.Product, string(j.Kind), j.Held)
}

// DropJobs ends all jobs of a product, but for that of its tenant's erasing.
func (tx *Tx) DropJobs(product int64) error {
	return tx.exec(`DELETE FROM jobs WHERE product = $1 AND kind <> 'erase'`, product)
}

// DropUnsaid ends those of them that carry out nobody's word.
func (tx *Tx) DropUnsaid(product int64) error {
	return tx.exec(`DELETE FROM jobs WHERE product = $1 AND kind <> 'erase' AND NOT (kind IN ('apply', 'close') AND held > 0)`, product)
}

// DropJobsOf ends all jobs that work on a held change.
func (tx *Tx) DropJobsOf(held int64) error {
	return tx.exec(`DELETE FROM jobs WHERE held = $1`, held)
}

const jobQuery = `SELECT product, kind, after, cause, held FROM jobs WHERE product = $1 AND kind = $2`

// Job returns a product's job of a kind, if one is under way.
func (tx *Tx) Job(product int64, kind JobKind) (j Job, found bool, err error) {
	found, err = tx.get(jobQuery+` ORDER BY held LIMIT 1`, []any{product, string(kind)}, j.columns()...)
	return j, found, err
}

// JobOn returns a product's job of a kind that works on a held change, if it is under way.
func (tx *Tx) JobOn(product int64, kind JobKind, held int64) (j Job, found bool, err error) {
	found, err = tx.get(jobQuery+` AND held = $3`, []any{product, string(kind), held}, j.columns()...)
	return j, found, err
}

func (j *Job) columns() []any { return []any{&j.Product, &j.Kind, &j.After, &j.Cause, &j.Held} }

// runnable are the jobs that may go on. While a tenant is paused, or its mirror is not complete, all rest; while it is not
// followed, all but the end of its licenses and of what is known of it; while it is frozen, those that take licenses: that
// end, and what somebody has approved.
const runnable = ` FROM jobs j JOIN products p ON p.id = j.product JOIN tenants t ON t.id = p.tenant
	WHERE t.paused = 0 AND t.restoring = 0 AND (t.disconnected = 0 OR j.kind = 'erase' OR j.kind = 'apply' AND j.held = 0)
	AND (t.frozen = 0 OR j.kind <> 'close' AND (j.kind <> 'apply' OR j.held = 0 AND t.disconnected = 0)) `

// Busy reports whether any job of a tenant is under way and does not rest.
func (tx *Tx) Busy(tenant int64) (bool, error) {
	var one int
	return tx.get(`SELECT 1`+runnable+`AND t.id = $1 LIMIT 1`, []any{tenant}, &one)
}

// NextJob returns a job of a partition that may go on, and its tenant, if there is one: the one that is least advanced.
func (tx *Tx) NextJob(part int) (j Job, tenant int64, found bool, err error) {
	found, err = tx.get(`SELECT j.product, j.kind, j.after, j.cause, j.held, p.tenant`+runnable+
		`AND t.part = $1 ORDER BY j.after, j.product, j.kind, j.held LIMIT 1`, []any{part}, append(j.columns(), &tenant)...)
	return j, tenant, found, err
}
