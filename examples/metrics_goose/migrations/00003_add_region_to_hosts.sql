-- +goose Up
ALTER TABLE hosts
    ADD COLUMN region text,
    ADD COLUMN active boolean NOT NULL DEFAULT true;

-- +goose Down
ALTER TABLE hosts
    DROP COLUMN active,
    DROP COLUMN region;
