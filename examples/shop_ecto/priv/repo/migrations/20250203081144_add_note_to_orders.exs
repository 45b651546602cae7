defmodule Shop.Repo.Migrations.AddNoteToOrders do
  use Ecto.Migration

  def change do
    alter table(:orders) do
      add :note, :text
      add :gift, :boolean, null: false, default: false
    end
  end
end
