-- The whole configuration of a user who has the plugin and nothing else.
vim.opt.rtp:prepend(assert(vim.env.DDLSP_PLUGIN))
vim.cmd('filetype plugin on')
