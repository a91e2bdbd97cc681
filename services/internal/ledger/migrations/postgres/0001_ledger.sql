-- Times are UTC in microseconds, 0 for never. Flags are 0 or 1. (epoch, counter) is the stamp of what a row shows.
-- The provider's ids stand in users.ref and groups.ref and nowhere else: all other tables use the small numbers.
-- No reference to users is checked where there is no index for it: erasing one would go through all rows.
-- Text in a key is compared by its bytes, as SQLite does it: the order of a language can change with the system's library.

-- +goose Up
CREATE TABLE tenants (
    id               BIGINT  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name             TEXT    COLLATE "C" NOT NULL UNIQUE,
    seen_epoch       BIGINT  NOT NULL DEFAULT 0, -- the latest stamp that was applied
    seen_counter     BIGINT  NOT NULL DEFAULT 0,
    snapshot_epoch   BIGINT  NOT NULL DEFAULT 0, -- the begin of the last complete snapshot
    snapshot_counter BIGINT  NOT NULL DEFAULT 0,
    snapshot_at      BIGINT  NOT NULL DEFAULT 0, -- when it was complete
    round_began      BIGINT  NOT NULL DEFAULT 0, -- the begin of the last good round
    reread_at        BIGINT  NOT NULL DEFAULT 0, -- when the worker last asked for a full read by itself
    granted          BIGINT  NOT NULL DEFAULT 0, -- license events so far
    revoked          BIGINT  NOT NULL DEFAULT 0,
    removed          BIGINT  NOT NULL DEFAULT 0  -- users, groups and memberships that went, so far
);

CREATE TABLE products (
    id             BIGINT  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant         BIGINT  NOT NULL REFERENCES tenants (id),
    name           TEXT    COLLATE "C" NOT NULL,
    address        TEXT    NOT NULL, -- that makes a group the provisioning group
    phase          TEXT    NOT NULL DEFAULT '',
    mode           TEXT    NOT NULL DEFAULT '',
    policy_group   TEXT    NOT NULL DEFAULT '',
    conflict       BIGINT  NOT NULL DEFAULT 0,
    changing       BIGINT  NOT NULL DEFAULT 0, -- a change waits to settle
    change_group   TEXT    NOT NULL DEFAULT '',
    change_empty   BIGINT  NOT NULL DEFAULT 0,
    settle_at      BIGINT  NOT NULL DEFAULT 0,
    ask_at         BIGINT  NOT NULL DEFAULT 0, -- when to ask for the round that applies the change; 0: not at all
    sequence       BIGINT  NOT NULL DEFAULT 0, -- of the product's last event
    redecide_after BIGINT  NOT NULL DEFAULT -1, -- users up to this one are decided again; -1: none are to be
    redecide_cause TEXT    NOT NULL DEFAULT '',
    UNIQUE (tenant, name)
);

CREATE TABLE users (
    id        BIGINT  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant    BIGINT  NOT NULL REFERENCES tenants (id),
    ref       TEXT    COLLATE "C" NOT NULL,
    name      TEXT    NOT NULL DEFAULT '',
    addresses TEXT    NOT NULL DEFAULT '', -- a line each, the sign-in name first
    status    TEXT    NOT NULL DEFAULT '', -- '': named as a member, not seen yet
    guest     BIGINT  NOT NULL DEFAULT 0,
    epoch     BIGINT  NOT NULL DEFAULT 0,
    counter   BIGINT  NOT NULL DEFAULT 0,
    UNIQUE (tenant, ref)
);
CREATE INDEX users_in_order ON users (tenant, id);

CREATE TABLE user_addresses (
    tenant  BIGINT  NOT NULL,
    address TEXT    COLLATE "C" NOT NULL,
    user_id BIGINT  NOT NULL REFERENCES users (id),
    PRIMARY KEY (tenant, address, user_id)
);
CREATE INDEX user_addresses_of ON user_addresses (user_id);

CREATE TABLE groups (
    id            BIGINT  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant        BIGINT  NOT NULL REFERENCES tenants (id),
    ref           TEXT    COLLATE "C" NOT NULL,
    name          TEXT    NOT NULL DEFAULT '',
    addresses     TEXT    NOT NULL DEFAULT '',
    kind          TEXT    NOT NULL DEFAULT '',
    state         TEXT    NOT NULL DEFAULT '', -- '': named by a membership, not seen yet; 'live'; 'deleted'
    epoch         BIGINT  NOT NULL DEFAULT 0,
    counter       BIGINT  NOT NULL DEFAULT 0,
    since_epoch   BIGINT  NOT NULL DEFAULT 0, -- memberships up to this stamp are forgotten
    since_counter BIGINT  NOT NULL DEFAULT 0,
    UNIQUE (tenant, ref)
);

CREATE TABLE group_addresses (
    tenant   BIGINT  NOT NULL,
    address  TEXT    COLLATE "C" NOT NULL,
    group_id BIGINT  NOT NULL REFERENCES groups (id),
    PRIMARY KEY (tenant, address, group_id)
);
CREATE INDEX group_addresses_of ON group_addresses (group_id);

CREATE TABLE memberships (
    group_id BIGINT  NOT NULL REFERENCES groups (id),
    kind     BIGINT  NOT NULL, -- 1 user, 2 group, 3 the whole customer
    member   BIGINT  NOT NULL, -- users.id, groups.id, 0
    present  BIGINT  NOT NULL,
    epoch    BIGINT  NOT NULL,
    counter  BIGINT  NOT NULL,
    PRIMARY KEY (group_id, kind, member)
);

CREATE TABLE entitlements (
    product  BIGINT  NOT NULL REFERENCES products (id),
    user_id  BIGINT  NOT NULL, -- users.id
    licensed BIGINT  NOT NULL,
    since    BIGINT  NOT NULL,
    reason   TEXT    NOT NULL,
    path     TEXT    NOT NULL, -- groups.id, separated by commas
    sequence BIGINT  NOT NULL, -- of the event that says so
    PRIMARY KEY (product, user_id)
);

CREATE TABLE history (
    product  BIGINT  NOT NULL REFERENCES products (id),
    user_id  BIGINT  NOT NULL, -- users.id
    sequence BIGINT  NOT NULL,
    from_at  BIGINT  NOT NULL,
    to_at    BIGINT, -- NULL: still so
    licensed BIGINT  NOT NULL,
    reason   TEXT    NOT NULL,
    path     TEXT    NOT NULL,
    cause    TEXT    NOT NULL, -- id of the event that caused it
    PRIMARY KEY (product, user_id, sequence)
);

CREATE TABLE outbox (
    id       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- an id never comes twice
    stream   TEXT NOT NULL,
    subject  TEXT NOT NULL,
    event_id TEXT NOT NULL,
    body     BYTEA NOT NULL
);

-- How far a stream was read (partition >= 0) or written (partition -1).
CREATE TABLE positions (
    stream         TEXT    COLLATE "C" NOT NULL,
    part           BIGINT  NOT NULL,
    stream_created BIGINT  NOT NULL,
    sequence       BIGINT  NOT NULL,
    PRIMARY KEY (stream, part)
);

-- Full reads that have begun and whose effects are not all out yet.
CREATE TABLE snapshots (
    tenant        BIGINT  NOT NULL REFERENCES tenants (id),
    ref           TEXT    COLLATE "C" NOT NULL,
    pages         BIGINT  NOT NULL DEFAULT 0,
    ended         BIGINT  NOT NULL DEFAULT 0,
    unproven      BIGINT  NOT NULL DEFAULT 0,
    granted_until BIGINT  NOT NULL, -- the tenant's counts when it began
    revoked_until BIGINT  NOT NULL,
    removed_until BIGINT  NOT NULL,
    PRIMARY KEY (tenant, ref)
);

-- Proofs that were asked for and have not come back.
CREATE TABLE proofs (
    tenant   BIGINT  NOT NULL REFERENCES tenants (id),
    request  TEXT    COLLATE "C" NOT NULL, -- id of the event that asks
    snapshot TEXT    NOT NULL,
    PRIMARY KEY (tenant, request)
);

-- +goose Down
DROP TABLE proofs;
DROP TABLE snapshots;
DROP TABLE positions;
DROP TABLE outbox;
DROP TABLE history;
DROP TABLE entitlements;
DROP TABLE memberships;
DROP TABLE group_addresses;
DROP TABLE groups;
DROP TABLE user_addresses;
DROP TABLE users;
DROP TABLE products;
DROP TABLE tenants;
