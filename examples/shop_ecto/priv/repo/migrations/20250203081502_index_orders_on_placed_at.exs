defmodule Shop.Repo.Migrations.IndexOrdersOnPlacedAt do
  use Ecto.Migration

  # The shop is open while the index is built.
  @disable_ddl_transaction true
  @disable_migration_lock true

  def change do
    create index(:orders, [:placed_at], where: "placed_at IS NOT NULL", concurrently: true)
  end
end
