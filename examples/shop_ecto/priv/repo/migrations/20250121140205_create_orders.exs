defmodule Shop.Repo.Migrations.CreateOrders do
  use Ecto.Migration

  def change do
    create table(:orders, primary_key: false) do
      add :id, :binary_id, primary_key: true
      add :user_id, references(:users, type: :binary_id, on_delete: :restrict), null: false
      add :status, :string, null: false, default: "open"
      add :total, :decimal, precision: 12, scale: 2, null: false, default: 0
      add :placed_at, :utc_datetime

      timestamps(type: :utc_datetime)
    end

    create index(:orders, [:user_id, :status])

    create table(:order_lines, primary_key: false) do
      add :id, :binary_id, primary_key: true
      add :order_id, references(:orders, type: :binary_id, on_delete: :delete_all), null: false
      add :product_id, references(:products, type: :binary_id, on_delete: :restrict), null: false
      add :quantity, :integer, null: false
      add :price, :decimal, precision: 12, scale: 2, null: false

      timestamps(type: :utc_datetime)
    end

    create unique_index(:order_lines, [:order_id, :product_id])
    create index(:order_lines, [:product_id])
  end
end
