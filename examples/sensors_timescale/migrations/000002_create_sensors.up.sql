CREATE TABLE sensors (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site text NOT NULL,
    kind text NOT NULL,
    installed_at timestamptz NOT NULL DEFAULT now()
);
