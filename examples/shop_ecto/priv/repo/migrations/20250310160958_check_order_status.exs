defmodule Shop.Repo.Migrations.CheckOrderStatus do
  use Ecto.Migration

  def change do
    create constraint(
             :orders,
             :orders_status_known,
             check: "status IN ('open', 'paid', 'sent', 'cancelled')",
             validate: false
           )
  end
end
