---@brief
---
--- https://github.com/ddlsp/ddlsp
---
--- Lints, previews and runs PostgreSQL and TimescaleDB migrations: Ecto `.exs`
--- files and the plain SQL files of golang-migrate, goose and other tools.
---
--- The program `ddlsp` has to be on `PATH`:
---
--- ```sh
--- go install github.com/ddlsp/ddlsp/cmd/ddlsp@latest
--- ```

---@type vim.lsp.Config
return {
  cmd = { 'ddlsp', 'serve' },
  filetypes = { 'sql', 'pgsql', 'elixir' },
  root_dir = function(bufnr, on_dir)
    local root = require('ddlsp').root(bufnr)
    if root then
      on_dir(root)
    end
  end,
  init_options = { diagnostics = 'push' },
  settings = {
    ddlsp = {
      lint = { enabled = true },
      inlayHints = { locks = true },
      codeLens = { enabled = true },
    },
  },
  -- Lenses and code actions that run something ask in the same way as :Ddlsp.
  commands = require('ddlsp').client_commands,
  handlers = require('ddlsp').handlers,
}
