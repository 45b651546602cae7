CREATE TABLE readings (
    sensor_id bigint NOT NULL REFERENCES sensors (id),
    read_at timestamptz NOT NULL,
    value double precision NOT NULL,
    PRIMARY KEY (sensor_id, read_at)
);

SELECT create_hypertable('readings', by_range('read_at', INTERVAL '1 day'));
