-- That something is missing of what LEDGER_IN said of a tenant.

-- +goose Up
ALTER TABLE tenants ADD COLUMN stale_since   BIGINT  NOT NULL DEFAULT 0; -- until a complete snapshot that began behind the stamp; 0: nothing is
ALTER TABLE tenants ADD COLUMN stale_epoch   BIGINT  NOT NULL DEFAULT 0; -- the latest stamp that was applied before it was lost
ALTER TABLE tenants ADD COLUMN stale_counter BIGINT  NOT NULL DEFAULT 0;
ALTER TABLE tenants ADD COLUMN reread_due    BIGINT  NOT NULL DEFAULT 0; -- when the full read is asked for that was put off; 0: none was

-- +goose Down
ALTER TABLE tenants DROP COLUMN reread_due;
ALTER TABLE tenants DROP COLUMN stale_counter;
ALTER TABLE tenants DROP COLUMN stale_epoch;
ALTER TABLE tenants DROP COLUMN stale_since;
