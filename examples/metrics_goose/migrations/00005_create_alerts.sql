-- +goose Up
CREATE TYPE alert_state AS ENUM ('firing', 'acknowledged', 'resolved');

CREATE TABLE alerts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    host_id bigint NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,
    metric text NOT NULL,
    state alert_state NOT NULL DEFAULT 'firing',
    threshold double precision NOT NULL,
    opened_at timestamptz NOT NULL DEFAULT now(),
    closed_at timestamptz,
    CONSTRAINT alerts_close_after_open CHECK (closed_at >= opened_at)
);

CREATE INDEX alerts_host_id_index ON alerts (host_id);
CREATE UNIQUE INDEX alerts_one_open ON alerts (host_id, metric) WHERE closed_at IS NULL;

-- +goose Down
DROP TABLE alerts;
DROP TYPE alert_state;
