[
  import_deps: [:ecto_sql],
  inputs: ["{config,lib}/**/*.{ex,exs}", "priv/*/migrations/*.exs", "mix.exs"]
]
