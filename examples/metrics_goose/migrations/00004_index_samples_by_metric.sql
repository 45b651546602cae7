-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX CONCURRENTLY samples_metric_taken_at_index ON samples (metric, taken_at DESC);

-- +goose Down
DROP INDEX CONCURRENTLY samples_metric_taken_at_index;
