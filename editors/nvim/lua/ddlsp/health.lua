-- :checkhealth ddlsp
local M = {}

function M.check()
  local health = vim.health
  health.start('ddlsp')

  if vim.fn.has('nvim-0.11') == 1 then
    health.ok('Neovim ' .. tostring(vim.version()))
  elseif vim.fn.has('nvim-0.10') == 1 then
    health.warn('Neovim 0.10 works; 0.11 or later is better', { 'vim.lsp.config() and vim.lsp.enable() came with 0.11' })
  else
    health.error('Neovim 0.10 or later is needed')
  end

  local config = vim.lsp.config and vim.lsp.config.ddlsp
  local cmd = config and config.cmd or { 'ddlsp', 'serve' }
  if type(cmd) == 'table' then
    local path = vim.fn.exepath(cmd[1])
    if path == '' then
      health.error(('there is no program %s on PATH'):format(cmd[1]), { 'go install github.com/ddlsp/ddlsp/cmd/ddlsp@latest', "or vim.lsp.config('ddlsp', { cmd = { '/path/to/ddlsp', 'serve' } })" })
    else
      local result = vim.system({ path, 'serve', '--help' }, { text = true, timeout = 15000 }):wait()
      if result.code == 0 then
        health.ok('the server is ' .. path)
      else
        health.error(path .. ' does not run', { vim.trim(result.stderr or '') })
      end
    end
  end

  local missing = vim.tbl_filter(function(language)
    return not pcall(vim.treesitter.language.inspect, language)
  end, { 'elixir', 'sql' })
  if #missing == 0 then
    health.ok('tree-sitter has elixir and sql: SQL in execute is highlighted')
  else
    health.info(('tree-sitter has no %s: SQL in execute looks like any string'):format(table.concat(missing, ' and no ')))
  end

  if vim.lsp.is_enabled and not vim.lsp.is_enabled('ddlsp') then
    health.warn('the server is not enabled', { "vim.lsp.enable('ddlsp')" })
  end
  local clients = vim.lsp.get_clients({ name = 'ddlsp' })
  if #clients == 0 then
    health.info('the server is not running: no migration is open')
  end
  for _, client in ipairs(clients) do
    local info = client.server_info or {}
    local buffers = vim.tbl_count(client.attached_buffers or {})
    health.ok(('%s runs in %s for %d buffers'):format(vim.trim((info.name or 'ddlsp') .. ' ' .. (info.version or '')), client.config.root_dir or '?', buffers))
  end
end

return M
