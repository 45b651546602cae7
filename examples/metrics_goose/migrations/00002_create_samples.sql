-- +goose Up
CREATE TABLE samples (
    host_id bigint NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,
    metric text NOT NULL,
    taken_at timestamptz NOT NULL,
    value double precision NOT NULL,
    PRIMARY KEY (host_id, metric, taken_at)
);

CREATE INDEX samples_taken_at_brin ON samples USING brin (taken_at);

-- +goose Down
DROP TABLE samples;
