-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION close_resolved_alert() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'resolved' AND NEW.closed_at IS NULL THEN
        NEW.closed_at = now();
    END IF;
    RETURN NEW;
END;
$$;
-- +goose StatementEnd

CREATE TRIGGER alerts_close_resolved
BEFORE UPDATE ON alerts
FOR EACH ROW
EXECUTE FUNCTION close_resolved_alert();

-- +goose Down
DROP TRIGGER alerts_close_resolved ON alerts;
DROP FUNCTION close_resolved_alert();
