-- A configuration as users have one: problems in the text, and the plugin.
vim.opt.rtp:prepend(assert(vim.env.DDLSP_PLUGIN))
vim.opt.rtp:append(vim.env.DDLSP_PARSERS or '')
vim.cmd('filetype plugin on')
vim.cmd('syntax on')
vim.o.termguicolors = true
vim.o.number = true
vim.o.signcolumn = 'yes'
vim.o.laststatus = 2
vim.o.shortmess = vim.o.shortmess .. 'I'
vim.o.swapfile = false
vim.diagnostic.config({ virtual_text = true })
vim.api.nvim_create_autocmd('LspAttach', {
  callback = function(args)
    vim.lsp.completion.enable(true, args.data.client_id, args.buf)
  end,
})
