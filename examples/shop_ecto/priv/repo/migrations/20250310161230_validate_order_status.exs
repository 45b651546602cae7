defmodule Shop.Repo.Migrations.ValidateOrderStatus do
  use Ecto.Migration

  def up do
    execute "ALTER TABLE orders VALIDATE CONSTRAINT orders_status_known"
  end

  def down do
    # A checked constraint needs no undoing
    :ok
  end
end
