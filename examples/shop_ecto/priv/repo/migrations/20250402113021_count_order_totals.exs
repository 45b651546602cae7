defmodule Shop.Repo.Migrations.CountOrderTotals do
  use Ecto.Migration

  def up do
    execute """
    CREATE FUNCTION count_order_total() RETURNS trigger
    LANGUAGE plpgsql AS $$
    DECLARE
      changed uuid := coalesce(NEW.order_id, OLD.order_id);
    BEGIN
      UPDATE orders
      SET total = (SELECT coalesce(sum(quantity * price), 0) FROM order_lines WHERE order_id = changed)
      WHERE id = changed;
      RETURN NULL;
    END;
    $$
    """

    execute """
    CREATE TRIGGER order_lines_count_total
    AFTER INSERT OR UPDATE OR DELETE ON order_lines
    FOR EACH ROW
    EXECUTE FUNCTION count_order_total()
    """
  end

  def down do
    execute "DROP TRIGGER order_lines_count_total ON order_lines"
    execute "DROP FUNCTION count_order_total()"
  end
end
