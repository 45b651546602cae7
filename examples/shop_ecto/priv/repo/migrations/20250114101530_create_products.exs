defmodule Shop.Repo.Migrations.CreateProducts do
  use Ecto.Migration

  def change do
    create table(:products, primary_key: false) do
      add :id, :binary_id, primary_key: true
      add :sku, :string, size: 40, null: false
      add :title, :string, null: false
      add :description, :text
      add :price, :decimal, precision: 12, scale: 2, null: false
      add :attributes, :map, null: false, default: %{}

      timestamps(type: :utc_datetime)
    end

    create unique_index(:products, [:sku])
    create index(:products, [:attributes], using: :gin)
    create constraint(:products, :products_price_not_negative, check: "price >= 0")
  end
end
