-- When the credential for a tenant's directory ends, as each of its products was told.

-- +goose Up
CREATE TABLE credentials (
    product BIGINT NOT NULL PRIMARY KEY REFERENCES products (id),
    epoch   BIGINT NOT NULL, -- the stamp of what was said last; a later one wins
    counter BIGINT NOT NULL,
    expires BIGINT NOT NULL, -- 0: at no time that is known
    days    BIGINT NOT NULL, -- it was told that it ends within so many; 0: it was not
    detail  TEXT   NOT NULL, -- what was told with that
    action  TEXT   NOT NULL
);

-- +goose Down
DROP TABLE credentials;
