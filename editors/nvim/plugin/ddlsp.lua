if vim.g.loaded_ddlsp then
  return
end
vim.g.loaded_ddlsp = true

vim.api.nvim_create_user_command('Ddlsp', function(opts)
  require('ddlsp').command(opts)
end, {
  nargs = '*',
  bang = true,
  desc = 'Migrations: migrate, rollback, status, new, sql, ...',
  complete = function(lead, line)
    return require('ddlsp').complete(lead, line)
  end,
})

for _, name in ipairs({ 'migrate', 'rollback', 'redo', 'status', 'new', 'sql' }) do
  vim.keymap.set('n', '<Plug>(ddlsp-' .. name .. ')', function()
    require('ddlsp').command({ fargs = { name } })
  end, { desc = 'ddlsp: ' .. name })
end

if vim.g.ddlsp_auto_enable == false then
  return
end

if vim.lsp.enable then
  vim.lsp.enable('ddlsp')
else
  -- Neovim 0.10 has no vim.lsp.enable.
  vim.api.nvim_create_autocmd('FileType', {
    group = vim.api.nvim_create_augroup('ddlsp', {}),
    pattern = { 'sql', 'pgsql', 'elixir' },
    callback = function(args)
      require('ddlsp').start(args.buf)
    end,
  })
end
