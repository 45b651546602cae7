-- +goose Up
CREATE TABLE hosts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    labels jsonb NOT NULL DEFAULT '{}',
    first_seen timestamptz NOT NULL DEFAULT now()
);

-- +goose Down
DROP TABLE hosts;
