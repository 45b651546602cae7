-- The whole configuration of a user who has the plugin and nothing else.
vim.opt.rtp:prepend(assert(vim.env.DDLSP_PLUGIN))
if vim.env.DDLSP_PARSERS then
  vim.opt.rtp:append(vim.env.DDLSP_PARSERS)
end
vim.cmd('filetype plugin on')
