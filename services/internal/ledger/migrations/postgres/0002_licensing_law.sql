-- What the whole of the rules needs: nested groups, seats and the waiting line, held changes, the life of a tenant, and the
-- causes behind decisions.

-- +goose Up
ALTER TABLE tenants ADD COLUMN part         BIGINT  NOT NULL DEFAULT -1; -- partition of the tenant's messages
ALTER TABLE tenants ADD COLUMN nest_version BIGINT  NOT NULL DEFAULT 0;  -- rises when a group joins, leaves or ends in another
ALTER TABLE tenants ADD COLUMN paused       BIGINT  NOT NULL DEFAULT 0;  -- observations are taken, nothing is decided
ALTER TABLE tenants ADD COLUMN frozen       BIGINT  NOT NULL DEFAULT 0;  -- nothing is revoked
ALTER TABLE tenants ADD COLUMN disconnected BIGINT  NOT NULL DEFAULT 0;  -- 1: its licenses are kept, 2: they are revoked
ALTER TABLE tenants ADD COLUMN restoring    BIGINT  NOT NULL DEFAULT 0;  -- the mirror is not complete: nothing is decided until it is
ALTER TABLE tenants ADD COLUMN hold_flips   BIGINT  NOT NULL DEFAULT 1;
ALTER TABLE tenants ADD COLUMN hold_share   BIGINT  NOT NULL DEFAULT 20; -- percent of a product's licenses; 0: bulk revocations are never held
ALTER TABLE tenants ADD COLUMN hold_least   BIGINT  NOT NULL DEFAULT 5;
ALTER TABLE tenants ADD COLUMN hold_expiry  BIGINT  NOT NULL DEFAULT 604800000000;

ALTER TABLE products ADD COLUMN change_stage TEXT    NOT NULL DEFAULT ''; -- '': settling; 'proposed', 'rejected'
ALTER TABLE products ADD COLUMN readdressed  BIGINT  NOT NULL DEFAULT 0;  -- its address became another one while it was in force
ALTER TABLE products ADD COLUMN used         BIGINT  NOT NULL DEFAULT 0;  -- users who are licensed
ALTER TABLE products ADD COLUMN purchased    BIGINT  NOT NULL DEFAULT -1; -- seats; -1: not set
ALTER TABLE products ADD COLUMN enforce      BIGINT  NOT NULL DEFAULT 0;
ALTER TABLE products ADD COLUMN exceeded     BIGINT  NOT NULL DEFAULT 0;  -- it was announced that more are used than purchased
ALTER TABLE products ADD COLUMN line         BIGINT  NOT NULL DEFAULT 0;  -- the last place given in the waiting line
UPDATE products SET used = (SELECT COUNT(*) FROM entitlements e WHERE e.product = products.id AND e.licensed = 1);

-- With the reason 'held': the reason of the revocation that is parked, or was rejected.
ALTER TABLE entitlements ADD COLUMN against TEXT NOT NULL DEFAULT '';

ALTER TABLE positions ADD COLUMN epoch BIGINT  NOT NULL DEFAULT 0; -- of the lease under which it was written

CREATE INDEX memberships_of ON memberships (member, kind);

-- Work on all users of a product that is done in chunks.
CREATE TABLE jobs (
    product BIGINT  NOT NULL REFERENCES products (id),
    kind    TEXT    COLLATE "C" NOT NULL, -- what is done, see ledger.JobKind
    after   BIGINT  NOT NULL, -- users up to this one are done
    cause   TEXT    NOT NULL, -- the event that decisions name as their cause
    held    BIGINT  NOT NULL DEFAULT 0,
    PRIMARY KEY (product, kind, held)
);
INSERT INTO jobs (product, kind, after, cause) SELECT id, 'apply', redecide_after, redecide_cause FROM products WHERE redecide_after >= 0;
ALTER TABLE products DROP COLUMN redecide_after;
ALTER TABLE products DROP COLUMN redecide_cause;

CREATE TABLE held (
    id           BIGINT  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product      BIGINT  NOT NULL REFERENCES products (id),
    ref          TEXT    COLLATE "C" NOT NULL, -- its id everywhere else
    kind         TEXT    NOT NULL, -- flip, revocations, refresh, freeze
    state        TEXT    NOT NULL, -- listing, open, approved, applied, rejected, expired, withdrawn
    revision     BIGINT  NOT NULL,
    mode         TEXT    NOT NULL DEFAULT '', -- that a flip would put in force
    policy_group TEXT    NOT NULL DEFAULT '',
    grants       BIGINT  NOT NULL DEFAULT 0,
    revocations  BIGINT  NOT NULL DEFAULT 0,
    applied      BIGINT  NOT NULL DEFAULT 0, -- users decided since it was approved
    opened_at    BIGINT  NOT NULL DEFAULT 0,
    expires_at   BIGINT  NOT NULL DEFAULT 0,
    closed_at    BIGINT  NOT NULL DEFAULT 0,
    closed_by    TEXT    NOT NULL DEFAULT '',
    cause        TEXT    NOT NULL DEFAULT '',
    snapshot     TEXT    NOT NULL DEFAULT '', -- whose effects a refresh parks
    UNIQUE (product, ref)
);

CREATE TABLE held_users (
    held     BIGINT  NOT NULL REFERENCES held (id),
    user_id  BIGINT  NOT NULL,
    revision BIGINT  NOT NULL, -- at which the row was last changed
    listed   BIGINT  NOT NULL, -- 0: no longer
    licensed BIGINT  NOT NULL, -- what the user would become
    reason   TEXT    NOT NULL,
    PRIMARY KEY (held, user_id)
);
CREATE INDEX held_users_by_revision ON held_users (held, revision);

-- Who waits for a seat, in order.
CREATE TABLE waiting (
    product BIGINT  NOT NULL REFERENCES products (id),
    user_id BIGINT  NOT NULL,
    place   BIGINT  NOT NULL,
    PRIMARY KEY (product, user_id)
);
CREATE UNIQUE INDEX waiting_in_order ON waiting (product, place);

-- Revocations of the last hour that nobody has approved.
CREATE TABLE revocations (
    product BIGINT  NOT NULL REFERENCES products (id),
    minute  BIGINT  NOT NULL, -- of the Unix time
    revoked BIGINT  NOT NULL,
    PRIMARY KEY (product, minute)
);

-- The messages that led to an event on LICENSES, and what had caused them.
CREATE TABLE causes (
    tenant   BIGINT  NOT NULL REFERENCES tenants (id),
    event_id TEXT    COLLATE "C" NOT NULL,
    type     TEXT    NOT NULL,
    at       BIGINT  NOT NULL,
    cause    TEXT    NOT NULL,
    by_whom  TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (tenant, event_id)
);

-- A product's events on LICENSES that are no license events.
CREATE TABLE records (
    product  BIGINT  NOT NULL REFERENCES products (id),
    sequence BIGINT  NOT NULL,
    type     TEXT    NOT NULL,
    at       BIGINT  NOT NULL,
    cause    TEXT    NOT NULL,
    data     TEXT    NOT NULL, -- as JSON
    PRIMARY KEY (product, sequence)
);

-- +goose Down
DROP TABLE records;
DROP TABLE causes;
DROP TABLE revocations;
DROP TABLE waiting;
DROP TABLE held_users;
DROP TABLE held;
ALTER TABLE products ADD COLUMN redecide_after BIGINT NOT NULL DEFAULT -1;
ALTER TABLE products ADD COLUMN redecide_cause TEXT   NOT NULL DEFAULT '';
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
