-- usage: nvim --headless -u CONFIG -l installed.lua WORKSPACE
-- The plugin that CONFIG has installed starts its server for a migration.
local file = assert(arg[1]) .. '/metrics/migrations/00002_index_device_names.sql'
-- With -l, what follows the configuration is not done by itself.
vim.cmd.runtime({ 'plugin/**/*.{vim,lua}', bang = true })
vim.api.nvim_exec_autocmds('VimEnter', {})
vim.cmd('filetype plugin on')
vim.cmd.edit(vim.fn.fnameescape(file))
local ok = vim.wait(15000, function()
  return #vim.diagnostic.get(0) > 0
end, 50)
assert(ok, 'no problem is shown; clients: ' .. #vim.lsp.get_clients() .. '; ' .. vim.o.rtp)
assert(vim.fn.exists(':Ddlsp') == 2, 'there is no :Ddlsp')

assert(#vim.lsp.get_clients({ name = 'ddlsp' }) == 1, 'there is not one client')
os.exit(0)
