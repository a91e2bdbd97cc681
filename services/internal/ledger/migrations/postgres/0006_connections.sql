-- How the connection to a tenant's directory is, as each of its products was told.

-- +goose Up
CREATE TABLE connections (
    product    BIGINT  NOT NULL PRIMARY KEY REFERENCES products (id),
    epoch      BIGINT  NOT NULL, -- the stamp of what was said last; a later one wins
    counter    BIGINT  NOT NULL,
    class      TEXT    NOT NULL, -- what keeps it from working; '': nothing does
    check_name TEXT    NOT NULL,
    detail     TEXT    NOT NULL,
    action     TEXT    NOT NULL,
    since      BIGINT  NOT NULL  -- when it began to be degraded; 0: it is not
);

-- +goose Down
DROP TABLE connections;
