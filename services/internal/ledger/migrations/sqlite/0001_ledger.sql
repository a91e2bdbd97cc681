-- Times are UTC in microseconds, 0 for never. Flags are 0 or 1. (epoch, counter) is the stamp of what a row shows.
-- The provider's ids stand in users.ref and groups.ref and nowhere else: all other tables use the small numbers.

-- +goose Up
CREATE TABLE tenants (
    id               INTEGER PRIMARY KEY,
    name             TEXT    NOT NULL UNIQUE,
    seen_epoch       INTEGER NOT NULL DEFAULT 0, -- the latest stamp that was applied
    seen_counter     INTEGER NOT NULL DEFAULT 0,
    snapshot_epoch   INTEGER NOT NULL DEFAULT 0, -- the begin of the last complete snapshot
    snapshot_counter INTEGER NOT NULL DEFAULT 0,
    snapshot_at      INTEGER NOT NULL DEFAULT 0, -- when it was complete
    round_began      INTEGER NOT NULL DEFAULT 0, -- the begin of the last good round
    reread_at        INTEGER NOT NULL DEFAULT 0, -- when the worker last asked for a full read by itself
    granted          INTEGER NOT NULL DEFAULT 0, -- license events so far
    revoked          INTEGER NOT NULL DEFAULT 0,
    removed          INTEGER NOT NULL DEFAULT 0  -- users, groups and memberships that went, so far
);

CREATE TABLE products (
    id             INTEGER PRIMARY KEY,
    tenant         INTEGER NOT NULL REFERENCES tenants (id),
    name           TEXT    NOT NULL,
    address        TEXT    NOT NULL, -- that makes a group the provisioning group
    phase          TEXT    NOT NULL DEFAULT '',
    mode           TEXT    NOT NULL DEFAULT '',
    policy_group   TEXT    NOT NULL DEFAULT '',
    conflict       INTEGER NOT NULL DEFAULT 0,
    changing       INTEGER NOT NULL DEFAULT 0, -- a change waits to settle
    change_group   TEXT    NOT NULL DEFAULT '',
    change_empty   INTEGER NOT NULL DEFAULT 0,
    settle_at      INTEGER NOT NULL DEFAULT 0,
    ask_at         INTEGER NOT NULL DEFAULT 0, -- when to ask for the round that applies the change; 0: not at all
    sequence       INTEGER NOT NULL DEFAULT 0, -- of the product's last event
    redecide_after INTEGER NOT NULL DEFAULT -1, -- users up to this one are decided again; -1: none are to be
    redecide_cause TEXT    NOT NULL DEFAULT '',
    UNIQUE (tenant, name)
);

CREATE TABLE users (
    id        INTEGER PRIMARY KEY,
    tenant    INTEGER NOT NULL REFERENCES tenants (id),
    ref       TEXT    NOT NULL,
    name      TEXT    NOT NULL DEFAULT '',
    addresses TEXT    NOT NULL DEFAULT '', -- a line each, the sign-in name first
    status    TEXT    NOT NULL DEFAULT '', -- '': named as a member, not seen yet
    guest     INTEGER NOT NULL DEFAULT 0,
    epoch     INTEGER NOT NULL DEFAULT 0,
    counter   INTEGER NOT NULL DEFAULT 0,
    UNIQUE (tenant, ref)
);
CREATE INDEX users_in_order ON users (tenant, id);

CREATE TABLE user_addresses (
    tenant  INTEGER NOT NULL,
    address TEXT    NOT NULL,
    user_id INTEGER NOT NULL REFERENCES users (id),
    PRIMARY KEY (tenant, address, user_id)
) WITHOUT ROWID;
CREATE INDEX user_addresses_of ON user_addresses (user_id);

CREATE TABLE groups (
    id            INTEGER PRIMARY KEY,
    tenant        INTEGER NOT NULL REFERENCES tenants (id),
    ref           TEXT    NOT NULL,
    name          TEXT    NOT NULL DEFAULT '',
    addresses     TEXT    NOT NULL DEFAULT '',
    kind          TEXT    NOT NULL DEFAULT '',
    state         TEXT    NOT NULL DEFAULT '', -- '': named by a membership, not seen yet; 'live'; 'deleted'
    epoch         INTEGER NOT NULL DEFAULT 0,
    counter       INTEGER NOT NULL DEFAULT 0,
    since_epoch   INTEGER NOT NULL DEFAULT 0, -- memberships up to this stamp are forgotten
    since_counter INTEGER NOT NULL DEFAULT 0,
    UNIQUE (tenant, ref)
);

CREATE TABLE group_addresses (
    tenant   INTEGER NOT NULL,
    address  TEXT    NOT NULL,
    group_id INTEGER NOT NULL REFERENCES groups (id),
    PRIMARY KEY (tenant, address, group_id)
) WITHOUT ROWID;
CREATE INDEX group_addresses_of ON group_addresses (group_id);

CREATE TABLE memberships (
    group_id INTEGER NOT NULL REFERENCES groups (id),
    kind     INTEGER NOT NULL, -- 1 user, 2 group, 3 the whole customer
    member   INTEGER NOT NULL, -- users.id, groups.id, 0
    present  INTEGER NOT NULL,
    epoch    INTEGER NOT NULL,
    counter  INTEGER NOT NULL,
    PRIMARY KEY (group_id, kind, member)
) WITHOUT ROWID;

CREATE TABLE entitlements (
    product  INTEGER NOT NULL REFERENCES products (id),
    user_id  INTEGER NOT NULL REFERENCES users (id),
    licensed INTEGER NOT NULL,
    since    INTEGER NOT NULL,
    reason   TEXT    NOT NULL,
    path     TEXT    NOT NULL, -- groups.id, separated by commas
    sequence INTEGER NOT NULL, -- of the event that says so
    PRIMARY KEY (product, user_id)
) WITHOUT ROWID;

CREATE TABLE history (
    product  INTEGER NOT NULL REFERENCES products (id),
    user_id  INTEGER NOT NULL REFERENCES users (id),
    sequence INTEGER NOT NULL,
    from_at  INTEGER NOT NULL,
    to_at    INTEGER, -- NULL: still so
    licensed INTEGER NOT NULL,
    reason   TEXT    NOT NULL,
    path     TEXT    NOT NULL,
    cause    TEXT    NOT NULL, -- id of the event that caused it
    PRIMARY KEY (product, user_id, sequence)
) WITHOUT ROWID;

CREATE TABLE outbox (
    id       INTEGER PRIMARY KEY AUTOINCREMENT, -- an id never comes twice: the relay counts on their order
    stream   TEXT NOT NULL,
    subject  TEXT NOT NULL,
    event_id TEXT NOT NULL,
    body     BLOB NOT NULL
);

-- How far a stream was read (partition >= 0) or written (partition -1).
CREATE TABLE positions (
    stream         TEXT    NOT NULL,
    part           INTEGER NOT NULL,
    stream_created INTEGER NOT NULL,
    sequence       INTEGER NOT NULL,
    PRIMARY KEY (stream, part)
) WITHOUT ROWID;

-- Full reads that have begun and whose effects are not all out yet.
CREATE TABLE snapshots (
    tenant        INTEGER NOT NULL REFERENCES tenants (id),
    ref           TEXT    NOT NULL,
    pages         INTEGER NOT NULL DEFAULT 0,
    ended         INTEGER NOT NULL DEFAULT 0,
    unproven      INTEGER NOT NULL DEFAULT 0,
    granted_until INTEGER NOT NULL, -- the tenant's counts when it began
    revoked_until INTEGER NOT NULL,
    removed_until INTEGER NOT NULL,
    PRIMARY KEY (tenant, ref)
) WITHOUT ROWID;

-- Proofs that were asked for and have not come back.
CREATE TABLE proofs (
    tenant   INTEGER NOT NULL REFERENCES tenants (id),
    request  TEXT    NOT NULL, -- id of the event that asks
    snapshot TEXT    NOT NULL,
    PRIMARY KEY (tenant, request)
) WITHOUT ROWID;

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
