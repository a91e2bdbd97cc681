-- Who is no member any more by what was read so far, and may be one by what is read next: of several groups, one is read first.

-- +goose Up
CREATE TABLE leaving (
    product   INTEGER NOT NULL REFERENCES products (id),
    user_id   INTEGER NOT NULL, -- 0: many are, who are yet to be found
    seen_at   INTEGER NOT NULL, -- when it was last seen
    cause     TEXT    NOT NULL, -- by which event
    decide_at INTEGER NOT NULL, -- at the latest; a round that began behind seen_at moves it to its own end
    PRIMARY KEY (product, user_id)
) WITHOUT ROWID;
CREATE INDEX leaving_due ON leaving (decide_at);

-- +goose Down
DROP TABLE leaving;
