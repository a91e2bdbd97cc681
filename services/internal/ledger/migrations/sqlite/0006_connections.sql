-- How the connection to a tenant's directory is, as each of its products was told.

-- +goose Up
CREATE TABLE connections (
    product    INTEGER NOT NULL PRIMARY KEY REFERENCES products (id),
    epoch      INTEGER NOT NULL, -- the stamp of what was said last; a later one wins
    counter    INTEGER NOT NULL,
    class      TEXT    NOT NULL, -- what keeps it from working; '': nothing does
    check_name TEXT    NOT NULL,
    detail     TEXT    NOT NULL,
    action     TEXT    NOT NULL,
    since      INTEGER NOT NULL  -- when it began to be degraded; 0: it is not
) WITHOUT ROWID;

-- +goose Down
DROP TABLE connections;
