-- When a row came to say what it says, and what is to be read again because a read would have undone that.

-- +goose Up
ALTER TABLE users       ADD COLUMN changed_at INTEGER NOT NULL DEFAULT 0; -- 0: as the first complete read showed it
ALTER TABLE users       ADD COLUMN changed_by INTEGER NOT NULL DEFAULT 0; -- 0: by a read, 1: by the provider's feed of changes; and 2: something has spoken against it since
ALTER TABLE users       ADD COLUMN told_at    INTEGER NOT NULL DEFAULT 0; -- when that was last told
ALTER TABLE groups      ADD COLUMN changed_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE groups      ADD COLUMN changed_by INTEGER NOT NULL DEFAULT 0;
ALTER TABLE groups      ADD COLUMN told_at    INTEGER NOT NULL DEFAULT 0;
ALTER TABLE memberships ADD COLUMN changed_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE memberships ADD COLUMN changed_by INTEGER NOT NULL DEFAULT 0;
ALTER TABLE memberships ADD COLUMN told_at    INTEGER NOT NULL DEFAULT 0;

CREATE TABLE doubts (
    tenant   INTEGER NOT NULL REFERENCES tenants (id),
    group_id INTEGER NOT NULL, -- of a membership; 0: a user or a group
    kind     INTEGER NOT NULL, -- as in memberships
    member   INTEGER NOT NULL,
    ask_at   INTEGER NOT NULL, -- when it is read again
    request  TEXT    NOT NULL DEFAULT '', -- that was sent last
    tries    INTEGER NOT NULL DEFAULT 0, -- how many were
    PRIMARY KEY (tenant, group_id, kind, member)
) WITHOUT ROWID;
CREATE INDEX doubts_due ON doubts (ask_at);

-- +goose Down
DROP TABLE doubts;
ALTER TABLE memberships DROP COLUMN told_at;
ALTER TABLE memberships DROP COLUMN changed_by;
ALTER TABLE memberships DROP COLUMN changed_at;
ALTER TABLE groups      DROP COLUMN told_at;
ALTER TABLE groups      DROP COLUMN changed_by;
ALTER TABLE groups      DROP COLUMN changed_at;
ALTER TABLE users       DROP COLUMN told_at;
ALTER TABLE users       DROP COLUMN changed_by;
ALTER TABLE users       DROP COLUMN changed_at;
