-- What the whole of the rules needs: nested groups, seats and the waiting line, held changes, the life of a tenant, and the
-- causes behind decisions.

-- +goose Up
ALTER TABLE tenants ADD COLUMN part         INTEGER NOT NULL DEFAULT -1; -- partition of the tenant's messages
ALTER TABLE tenants ADD COLUMN nest_version INTEGER NOT NULL DEFAULT 0;  -- rises when a group joins, leaves or ends in another
ALTER TABLE tenants ADD COLUMN paused       INTEGER NOT NULL DEFAULT 0;  -- observations are taken, nothing is decided
ALTER TABLE tenants ADD COLUMN frozen       INTEGER NOT NULL DEFAULT 0;  -- nothing is revoked
ALTER TABLE tenants ADD COLUMN disconnected INTEGER NOT NULL DEFAULT 0;  -- 1: its licenses are kept, 2: they are revoked
ALTER TABLE tenants ADD COLUMN restoring    INTEGER NOT NULL DEFAULT 0;  -- the mirror is not complete: nothing is decided until it is
ALTER TABLE tenants ADD COLUMN hold_flips   INTEGER NOT NULL DEFAULT 1;
ALTER TABLE tenants ADD COLUMN hold_share   INTEGER NOT NULL DEFAULT 20; -- percent of a product's licenses; 0: bulk revocations are never held
ALTER TABLE tenants ADD COLUMN hold_least   INTEGER NOT NULL DEFAULT 5;
ALTER TABLE tenants ADD COLUMN hold_expiry  BIGINT  NOT NULL DEFAULT 604800000000;

ALTER TABLE products ADD COLUMN change_stage TEXT    NOT NULL DEFAULT ''; -- '': settling; 'proposed', 'rejected'
ALTER TABLE products ADD COLUMN readdressed  INTEGER NOT NULL DEFAULT 0;  -- its address became another one while it was in force
ALTER TABLE products ADD COLUMN used         INTEGER NOT NULL DEFAULT 0;  -- users who are licensed
ALTER TABLE products ADD COLUMN purchased    INTEGER NOT NULL DEFAULT -1; -- seats; -1: not set
ALTER TABLE products ADD COLUMN enforce      INTEGER NOT NULL DEFAULT 0;
ALTER TABLE products ADD COLUMN exceeded     INTEGER NOT NULL DEFAULT 0;  -- it was announced that more are used than purchased
ALTER TABLE products ADD COLUMN line         INTEGER NOT NULL DEFAULT 0;  -- the last place given in the waiting line
UPDATE products SET used = (SELECT COUNT(*) FROM entitlements e WHERE e.product = products.id AND e.licensed = 1);

-- Decisions refer to users by number and no reference is checked any more: for each user who is erased, the check went through
-- all decisions that there are. With the reason 'held', against is the reason of the revocation that is parked, or was rejected.
CREATE TABLE new_entitlements (
    product  INTEGER NOT NULL REFERENCES products (id),
    user_id  INTEGER NOT NULL,
    licensed INTEGER NOT NULL,
    since    INTEGER NOT NULL,
    reason   TEXT    NOT NULL,
    path     TEXT    NOT NULL, -- groups.id, separated by commas
    sequence INTEGER NOT NULL, -- of the event that says so
    against  TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (product, user_id)
) WITHOUT ROWID;
INSERT INTO new_entitlements SELECT product, user_id, licensed, since, reason, path, sequence, '' FROM entitlements;
DROP TABLE entitlements;
ALTER TABLE new_entitlements RENAME TO entitlements;

CREATE TABLE new_history (
    product  INTEGER NOT NULL REFERENCES products (id),
    user_id  INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    from_at  INTEGER NOT NULL,
    to_at    INTEGER, -- NULL: still so
    licensed INTEGER NOT NULL,
    reason   TEXT    NOT NULL,
    path     TEXT    NOT NULL,
    cause    TEXT    NOT NULL, -- id of the event that caused it
    PRIMARY KEY (product, user_id, sequence)
) WITHOUT ROWID;
INSERT INTO new_history SELECT product, user_id, sequence, from_at, to_at, licensed, reason, path, cause FROM history;
DROP TABLE history;
ALTER TABLE new_history RENAME TO history;

ALTER TABLE positions ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0; -- of the lease under which it was written

CREATE INDEX memberships_of ON memberships (member, kind);

-- Work on all users of a product that is done in chunks.
CREATE TABLE jobs (
    product INTEGER NOT NULL REFERENCES products (id),
    kind    TEXT    NOT NULL, -- what is done, see ledger.JobKind
    after   INTEGER NOT NULL, -- users up to this one are done
    cause   TEXT    NOT NULL, -- the event that decisions name as their cause
    held    INTEGER NOT NULL DEFAULT 0, -- the held change that it works on
    PRIMARY KEY (product, kind, held)
) WITHOUT ROWID;
INSERT INTO jobs (product, kind, after, cause) SELECT id, 'apply', redecide_after, redecide_cause FROM products WHERE redecide_after >= 0;
ALTER TABLE products DROP COLUMN redecide_after;
ALTER TABLE products DROP COLUMN redecide_cause;

CREATE TABLE held (
    id           INTEGER PRIMARY KEY,
    product      INTEGER NOT NULL REFERENCES products (id),
    ref          TEXT    NOT NULL, -- its id everywhere else
    kind         TEXT    NOT NULL, -- flip, revocations, refresh, freeze
    state        TEXT    NOT NULL, -- listing, open, approved, applied, rejected, expired, withdrawn
    revision     INTEGER NOT NULL,
    mode         TEXT    NOT NULL DEFAULT '', -- that a flip would put in force
    policy_group TEXT    NOT NULL DEFAULT '',
    grants       INTEGER NOT NULL DEFAULT 0,
    revocations  INTEGER NOT NULL DEFAULT 0,
    applied      INTEGER NOT NULL DEFAULT 0, -- users decided since it was approved
    opened_at    INTEGER NOT NULL DEFAULT 0,
    expires_at   INTEGER NOT NULL DEFAULT 0,
    closed_at    INTEGER NOT NULL DEFAULT 0,
    closed_by    TEXT    NOT NULL DEFAULT '',
    cause        TEXT    NOT NULL DEFAULT '',
    snapshot     TEXT    NOT NULL DEFAULT '', -- whose effects a refresh parks
    UNIQUE (product, ref)
);

CREATE TABLE held_users (
    held     INTEGER NOT NULL REFERENCES held (id),
    user_id  INTEGER NOT NULL,
    revision INTEGER NOT NULL, -- at which the row was last changed
    listed   INTEGER NOT NULL, -- 0: no longer
    licensed INTEGER NOT NULL, -- what the user would become
    reason   TEXT    NOT NULL,
    PRIMARY KEY (held, user_id)
) WITHOUT ROWID;
CREATE INDEX held_users_by_revision ON held_users (held, revision);

-- Who waits for a seat, in order.
CREATE TABLE waiting (
    product INTEGER NOT NULL REFERENCES products (id),
    user_id INTEGER NOT NULL,
    place   INTEGER NOT NULL,
    PRIMARY KEY (product, user_id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX waiting_in_order ON waiting (product, place);

-- Revocations of the last hour that nobody has approved.
CREATE TABLE revocations (
    product INTEGER NOT NULL REFERENCES products (id),
    minute  INTEGER NOT NULL, -- of the Unix time
    revoked INTEGER NOT NULL,
    PRIMARY KEY (product, minute)
) WITHOUT ROWID;

-- The messages that led to an event on LICENSES, and what had caused them.
CREATE TABLE causes (
    tenant   INTEGER NOT NULL REFERENCES tenants (id),
    event_id TEXT    NOT NULL,
    type     TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    cause    TEXT    NOT NULL,
    by_whom  TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (tenant, event_id)
) WITHOUT ROWID;

-- A product's events on LICENSES that are no license events.
CREATE TABLE records (
    product  INTEGER NOT NULL REFERENCES products (id),
    sequence INTEGER NOT NULL,
    type     TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    cause    TEXT    NOT NULL,
    data     TEXT    NOT NULL, -- as JSON
    PRIMARY KEY (product, sequence)
) WITHOUT ROWID;

-- +goose Down
DROP TABLE records;
DROP TABLE causes;
DROP TABLE revocations;
DROP TABLE waiting;
DROP TABLE held_users;
DROP TABLE held;
ALTER TABLE products ADD COLUMN redecide_after INTEGER NOT NULL DEFAULT -1;
ALTER TABLE products ADD COLUMN redecide_cause TEXT    NOT NULL DEFAULT '';
DROP TABLE jobs;
DROP INDEX memberships_of;
ALTER TABLE positions DROP COLUMN epoch;
ALTER TABLE entitlements DROP COLUMN against;
ALTER TABLE products DROP COLUMN line;
ALTER TABLE products DROP COLUMN exceeded;
ALTER TABLE products DROP COLUMN enforce;
ALTER TABLE products DROP COLUMN purchased;
ALTER TABLE products DROP COLUMN used;
ALTER TABLE products DROP COLUMN readdressed;
ALTER TABLE products DROP COLUMN change_stage;
ALTER TABLE tenants DROP COLUMN hold_expiry;
ALTER TABLE tenants DROP COLUMN hold_least;
ALTER TABLE tenants DROP COLUMN hold_share;
ALTER TABLE tenants DROP COLUMN hold_flips;
ALTER TABLE tenants DROP COLUMN restoring;
ALTER TABLE tenants DROP COLUMN disconnected;
ALTER TABLE tenants DROP COLUMN frozen;
ALTER TABLE tenants DROP COLUMN paused;
ALTER TABLE tenants DROP COLUMN nest_version;
ALTER TABLE tenants DROP COLUMN part;
