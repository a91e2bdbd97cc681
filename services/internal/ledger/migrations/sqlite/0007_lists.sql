-- What lists of users, groups and events are searched and sorted by, how many licenses were used when, and who a product has
-- seen sign in.

-- +goose Up
ALTER TABLE users ADD COLUMN name_key    TEXT NOT NULL DEFAULT ''; -- the begin of the name, in lower case
ALTER TABLE users ADD COLUMN address_key TEXT NOT NULL DEFAULT ''; -- the first address
ALTER TABLE groups ADD COLUMN name_key   TEXT NOT NULL DEFAULT '';
-- Letters beyond ASCII are lowered when a read next shows the row: not every database can do it.
UPDATE users SET name_key = LOWER(SUBSTR(name, 1, 100)),
    address_key = SUBSTR(addresses, 1, INSTR(addresses || CHAR(10), CHAR(10)) - 1);
UPDATE groups SET name_key = LOWER(SUBSTR(name, 1, 100));
CREATE INDEX users_by_name ON users (tenant, name_key, id);
CREATE INDEX users_by_address ON users (tenant, address_key, id);
CREATE INDEX users_by_status ON users (tenant, guest, status, id);
CREATE INDEX groups_by_name ON groups (tenant, name_key, id);
CREATE INDEX entitlements_by_reason ON entitlements (product, licensed, reason, user_id);
CREATE INDEX entitlements_by_since ON entitlements (product, licensed, since, user_id);
CREATE INDEX history_by_time ON history (product, from_at, sequence);
CREATE INDEX history_standing ON history (product, from_at, sequence) WHERE to_at IS NULL;
CREATE INDEX records_by_time ON records (product, at, sequence);

-- Who a product has reported to have signed in, and when it was the first time.
CREATE TABLE activations (
    product INTEGER NOT NULL REFERENCES products (id),
    user_id INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (product, user_id)
) WITHOUT ROWID;

-- How many users were licensed at the end of each minute in which that changed.
CREATE TABLE usage (
    product INTEGER NOT NULL REFERENCES products (id),
    minute  INTEGER NOT NULL, -- of the Unix time
    used    INTEGER NOT NULL,
    PRIMARY KEY (product, minute)
) WITHOUT ROWID;
INSERT INTO usage (product, minute, used) SELECT product, minute, used FROM (
    SELECT product, minute, sequence, SUM(delta) OVER (PARTITION BY product ORDER BY sequence) AS used,
        MAX(sequence) OVER (PARTITION BY product, minute) AS final FROM (
        SELECT product, sequence, from_at / 60000000 AS minute,
            licensed - COALESCE(LAG(licensed) OVER (PARTITION BY product, user_id ORDER BY sequence), 0) AS delta FROM history) AS steps
    WHERE delta <> 0) AS counts WHERE sequence = final;

-- +goose Down
DROP TABLE usage;
DROP TABLE activations;
DROP INDEX records_by_time;
DROP INDEX history_standing;
DROP INDEX history_by_time;
DROP INDEX entitlements_by_since;
DROP INDEX entitlements_by_reason;
DROP INDEX groups_by_name;
DROP INDEX users_by_status;
DROP INDEX users_by_address;
DROP INDEX users_by_name;
ALTER TABLE groups DROP COLUMN name_key;
ALTER TABLE users DROP COLUMN address_key;
ALTER TABLE users DROP COLUMN name_key;
