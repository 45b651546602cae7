-- What :Ddlsp does. Nothing has to be set up: plugin/ddlsp.lua enables the
-- server, lsp/ddlsp.lua says how to start it.
local M = {}

local text = require('ddlsp.text')

local function say(message, level)
  vim.notify('ddlsp: ' .. message, level or vim.log.levels.INFO)
end

local function fail(message)
  say(message, vim.log.levels.ERROR)
end

--- Files whose place says that they may be migrations. The server decides.
local function in_migrations(path)
  return path:find('migrat[^/]*/') ~= nil or path:find('/priv/') ~= nil
end

--- Does an Elixir file look like a migration that lies somewhere unusual?
local function uses_migration(bufnr)
  for _, line in ipairs(vim.api.nvim_buf_get_lines(bufnr, 0, 40, false)) do
    if line:find('^%s*use%s+[%w_.]*Migration') then
      return true
    end
  end
  return false
end

--- The directory that the server works in for a buffer; nil when the buffer is
--- none of its business.
---@param bufnr integer
---@return string?
function M.root(bufnr)
  local path = vim.api.nvim_buf_get_name(bufnr)
  if path == '' or path:find('^%a[%w+.-]+://') or vim.bo[bufnr].buftype ~= '' then
    return nil
  end
  path = vim.fs.normalize(path)
  if path:sub(-4) == '.exs' then
    if not in_migrations(path) and not uses_migration(bufnr) then
      return nil
    end
  elseif path:sub(-4) ~= '.sql' then
    return nil
  end
  -- One after the other: in an umbrella project the nearest mix.exs is not
  -- the one whose configuration counts.
  return vim.fs.root(bufnr, { 'ddlsp.toml', '.ddlsp.toml' })
    or vim.fs.root(bufnr, '.git')
    or vim.fs.root(bufnr, 'mix.exs')
    or vim.fs.dirname(path)
end

--- Starts the server for a buffer where Neovim has no vim.lsp.enable.
---@param bufnr integer
function M.start(bufnr)
  local root = M.root(bufnr)
  if not root then
    return
  end
  local file = vim.api.nvim_get_runtime_file('lsp/ddlsp.lua', false)[1]
  local config = vim.tbl_extend('force', dofile(file), { name = 'ddlsp', root_dir = root })
  vim.lsp.start(config, { bufnr = bufnr })
end

local function clients(filter)
  filter = vim.tbl_extend('force', { name = 'ddlsp' }, filter or {})
  return (vim.lsp.get_clients or vim.lsp.get_active_clients)(filter)
end

--- The server of the buffer, else any that runs.
local function client_for(bufnr)
  return clients({ bufnr = bufnr })[1] or clients()[1]
end

local function request(client, method, params, handler)
  if vim.fn.has('nvim-0.11') == 1 then
    return client:request(method, params, handler)
  end
  return client.request(method, params, handler)
end

--- How many commands are on their way whose results are shown here. The server
--- tells every client how a run ended; those words would be the second.
local own = 0

M.handlers = {
  ['window/showMessage'] = function(err, params, ctx, config)
    if own > 0 then
      return vim.NIL
    end
    return vim.lsp.handlers['window/showMessage'](err, params, ctx, config)
  end,
}

--- Sends a command of the server's. `done` gets the answer; failures are shown.
---@param command string
---@param args table
---@param done fun(result: any)
local function execute(command, args, done)
  local client = client_for(0)
  if not client then
    local why = vim.fn.executable('ddlsp') == 1 and 'open a migration first' or 'there is no program ddlsp on PATH (:checkhealth ddlsp)'
    return fail('the server is not running: ' .. why)
  end
  -- An empty table would be sent as a list.
  local argument = next(args) == nil and vim.empty_dict() or args
  own = own + 1
  request(client, 'workspace/executeCommand', { command = command, arguments = { argument } }, function(err, result)
    own = math.max(0, own - 1)
    if err then
      return fail(err.message)
    end
    done(result ~= vim.NIL and result or nil)
  end)
end

--- The file that says which project is meant.
local function with_uri(args)
  if args.uri == nil then
    local path = vim.api.nvim_buf_get_name(0)
    if path:find('%.sql$') or path:find('%.exs$') then
      args.uri = vim.uri_from_bufnr(0)
    else
      local client = client_for(0)
      if client and client.config.root_dir then
        args.uri = vim.uri_from_fname(client.config.root_dir)
      end
    end
  end
  return args
end

--- Runs go by what is on disk.
local function modified()
  local names = {}
  for _, client in ipairs(clients()) do
    for bufnr in pairs(client.attached_buffers or {}) do
      if vim.api.nvim_buf_is_loaded(bufnr) and vim.bo[bufnr].modified then
        names[#names + 1] = vim.fs.basename(vim.api.nvim_buf_get_name(bufnr))
      end
    end
  end
  return names
end

--- The path of an answer, which may be relative to the server's directory.
local function resolve(path)
  if path == nil or path == '' or path == vim.NIL then
    return nil
  end
  if path:sub(1, 1) == '/' or path:find('^%a:[/\\]') then
    return path
  end
  local client = client_for(0)
  return vim.fs.joinpath(client and client.config.root_dir or vim.fn.getcwd(), path)
end

local function edit(path, line)
  vim.cmd.edit(vim.fn.fnameescape(path))
  if line then
    pcall(vim.api.nvim_win_set_cursor, 0, { line, 0 })
  end
end

--- Shows text in a window of its own that q closes.
---@param name string
---@param filetype string
---@param lines string[]
---@return integer bufnr
function M.show(name, filetype, lines)
  name = 'ddlsp://' .. name
  local bufnr = vim.fn.bufnr('^' .. vim.fn.escape(name, '.*[]~\\^$') .. '$')
  if bufnr == -1 then
    bufnr = vim.api.nvim_create_buf(false, true)
    vim.api.nvim_buf_set_name(bufnr, name)
    vim.bo[bufnr].bufhidden = 'wipe'
    vim.keymap.set('n', 'q', '<Cmd>close<CR>', { buffer = bufnr, nowait = true, desc = 'Close' })
  end
  vim.bo[bufnr].modifiable = true
  vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, lines)
  vim.bo[bufnr].modifiable = false
  vim.bo[bufnr].filetype = filetype
  local window = vim.fn.bufwinid(bufnr)
  if window == -1 then
    vim.cmd('botright split')
    vim.api.nvim_win_set_buf(0, bufnr)
    vim.api.nvim_win_set_height(0, math.min(math.max(#lines, 5), math.floor(vim.o.lines / 2)))
  else
    vim.api.nvim_set_current_win(window)
  end
  return bufnr
end

local function list(t)
  return type(t) == 'table' and t or {}
end

local function value(v)
  return v ~= vim.NIL and v or nil
end

local function show_failure(result)
  local err = result.error
  fail(text.failure(result))
  local path = resolve(value(err.path))
  if path then
    local line = value(err.range) and err.range.start.line or 1
    vim.fn.setqflist({}, ' ', {
      title = 'ddlsp',
      items = { { filename = path, lnum = line, col = value(err.range) and err.range.start.column or 1, text = err.message, type = 'E' } },
    })
  end
end

--- Runs a plan the user said yes to.
local function run_plan(command, args, plan)
  local function go(confirm)
    local call = vim.tbl_extend('force', args, { plan = plan.plan, confirm = confirm })
    execute(command, call, function(result)
      if not result then
        return
      end
      if value(result.error) then
        show_failure(result)
      else
        say(text.outcome(result))
      end
      vim.api.nvim_exec_autocmds('User', { pattern = 'DdlspRun', modeline = false, data = result })
    end)
  end
  if value(plan.protected) ~= true then
    return go()
  end
  vim.ui.input({ prompt = ('%s is protected. Type the name of the database to go on: '):format(text.target(plan)) }, function(typed)
    if typed == plan.database then
      go(typed)
    else
      say('nothing was changed')
    end
  end)
end

local function confirm(command, args, plan)
  local question, migrations = text.question(command, plan)
  local yes, no, sql = text.verb(command), 'Cancel', 'Show SQL'
  vim.ui.select({ yes, no, sql }, { prompt = question .. '\n' .. table.concat(migrations, '\n'), kind = 'ddlsp' }, function(choice)
    if choice == yes then
      run_plan(command, args, plan)
    elseif choice == sql then
      M.show('plan.sql', 'sql', text.plan(plan))
      vim.cmd.redraw()
      confirm(command, args, plan)
    else
      say('nothing was changed')
    end
  end)
end

--- Migrate, roll back or redo: shows what would run, and runs it after a yes.
local function run(command, args)
  args = with_uri(args)
  if args.dryRun or args.plan then
    return execute(command, args, function() end)
  end
  local unsaved = modified()
  if #unsaved > 0 then
    return fail(table.concat(unsaved, ', ') .. ' has changes that are not written; what runs is what is written (:wall)')
  end
  execute(command, vim.tbl_extend('force', args, { dryRun = true }), function(plan)
    if not plan then
      return
    end
    if value(plan.error) then
      return show_failure(plan)
    end
    if #list(plan.migrations) == 0 then
      return say(text.nothing(command, plan))
    end
    confirm(command, args, plan)
  end)
end

local function status(args)
  execute('ddlsp.status', with_uri(args), function(result)
    local lines, paths = text.status(result)
    local bufnr = M.show('status', 'ddlsp-status', lines)
    vim.keymap.set('n', '<CR>', function()
      local path = resolve(paths[vim.api.nvim_win_get_cursor(0)[1]])
      if path then
        vim.cmd('close')
        edit(path)
      end
    end, { buffer = bufnr, desc = 'Open the migration' })
  end)
end

local function show_sql(args)
  args = with_uri(args)
  args.direction = args.direction or 'up'
  execute('ddlsp.showSql', args, function(result)
    M.show(('%s %s.sql'):format(vim.fs.basename(result.path), args.direction), 'sql', text.sql(result))
  end)
end

local function new_migration(args)
  args = with_uri(args)
  local function write()
    execute('ddlsp.newMigration', args, function(result)
      local path = resolve(list(result and result.paths)[1])
      if path then
        edit(path)
      end
      for _, note in ipairs(list(result and result.notes)) do
        say(note)
      end
    end)
  end
  local function ask_name()
    if args.name then
      return write()
    end
    vim.ui.input({ prompt = 'Name of the migration: ', default = args.template }, function(typed)
      local name = typed and text.name(typed) or ''
      if name ~= '' then
        args.name = name
        write()
      end
    end)
  end
  if args.template then
    return ask_name()
  end
  execute('ddlsp.newMigration', args, function(result)
    vim.ui.select(list(result and result.templates), {
      prompt = 'Template',
      kind = 'ddlsp',
      format_item = function(t)
        return t.title or t.name
      end,
    }, function(template)
      if template then
        args.template = template.name
        ask_name()
      end
    end)
  end)
end

local function explain(args)
  if not args.rule then
    -- The rule of the problem under the cursor.
    local line = vim.api.nvim_win_get_cursor(0)[1] - 1
    for _, d in ipairs(vim.diagnostic.get(0, { lnum = line })) do
      if d.source == 'ddlsp' then
        args.rule = d.code
      end
    end
  end
  if args.rule then
    return execute('ddlsp.explain', args, function(page)
      local lines = vim.split(vim.trim(page.text), '\n')
      if not vim.startswith(lines[1], '#') then
        lines = vim.list_extend({ '# ' .. args.rule, '' }, lines)
      end
      M.show(args.rule .. '.md', 'markdown', vim.list_extend(lines, { '', page.url }))
    end)
  end
  execute('ddlsp.explain', {}, function(result)
    vim.ui.select(list(result and result.rules), {
      prompt = 'Rule',
      kind = 'ddlsp',
      format_item = function(r)
        return ('%s: %s'):format(r.rule, r.summary)
      end,
    }, function(rule)
      if rule then
        explain({ rule = rule.rule })
      end
    end)
  end)
end

local function verify(args)
  execute('ddlsp.verify', with_uri(args), function(result)
    M.show('verify', 'text', text.verify(result))
  end)
end

local function schema(args)
  args = with_uri(args)
  args.format = args.format or 'sql'
  execute('ddlsp.schema', args, function(result)
    local mermaid = args.format == 'mermaid'
    M.show(mermaid and 'schema.mmd' or 'schema.sql', mermaid and 'mermaid' or 'sql', vim.split(vim.trim(result.text), '\n'))
  end)
end

--- Puts the command of the project's own tool where a paste finds it.
local function tool_command(args)
  local direction = args.direction
  args.direction = nil
  execute('ddlsp.toolCommand', with_uri(args), function(result)
    local commands = vim.tbl_filter(function(c)
      return not direction or c.direction == direction
    end, list(result and result.commands))
    local function take(c)
      if c then
        vim.fn.setreg('"', c.command)
        if vim.fn.has('clipboard') == 1 then
        vim.fn.setreg('+', c.command)
      end
        say(('%s (yanked; to be typed in %s)'):format(c.command, result.directory))
      end
    end
    if #commands == 1 then
      return take(commands[1])
    end
    vim.ui.select(commands, {
      prompt = 'Command',
      kind = 'ddlsp',
      format_item = function(c)
        return ('%s: %s'):format(c.title, c.command)
      end,
    }, take)
  end)
end

local function select_database(args)
  args = with_uri(args)
  local function choose()
    execute('ddlsp.selectDatabase', args, function()
      say('database: ' .. args.database)
    end)
  end
  if args.database then
    return choose()
  end
  execute('ddlsp.selectDatabase', args, function(result)
    local databases = list(result and result.databases)
    if #databases == 0 then
      return say('ddlsp.toml names no databases; the one that the project itself uses is taken')
    end
    vim.ui.select(databases, {
      prompt = 'Database',
      kind = 'ddlsp',
      format_item = function(d)
        return d.name
      end,
    }, function(d)
      if d then
        args.database = d.name
        choose()
      end
    end)
  end)
end

local function restart()
  local running = clients()
  if #running == 0 then
    return fail('the server is not running')
  end
  local buffers = {}
  own = 0 -- what was on its way is not answered any more
  for _, client in ipairs(running) do
    vim.list_extend(buffers, vim.tbl_keys(client.attached_buffers or {}))
    if vim.fn.has('nvim-0.11') == 1 then
      client:stop()
    else
      client.stop()
    end
  end
  -- Attach again once it has gone.
  local timer = assert(vim.uv.new_timer())
  local waited = 0
  timer:start(50, 50, vim.schedule_wrap(function()
    waited = waited + 50
    if (#clients() > 0 and waited < 5000) or timer:is_closing() then
      return
    end
    timer:close()
    for _, bufnr in ipairs(buffers) do
      if vim.api.nvim_buf_is_loaded(bufnr) then
        vim.api.nvim_exec_autocmds('FileType', { buffer = bufnr, modeline = false })
      end
    end
  end))
end

local function version()
  local client = client_for(0)
  local info = client and client.server_info
  if info then
    say(('%s %s'):format(info.name, info.version or ''))
  else
    -- Neovim 0.10 does not keep what a server says of itself.
    say(client and 'the server runs; `ddlsp --version` says which it is' or 'the server is not running')
  end
end

local function show_log()
  vim.cmd.edit(vim.fn.fnameescape(vim.lsp.log and vim.lsp.log.get_filename() or vim.lsp.get_log_path()))
end

--- The subcommands of :Ddlsp: what they do, and which options they take.
local subcommands = {
  migrate = { function(a) run('ddlsp.migrate', a) end, { 'to', 'toExclusive', 'step', 'database', 'prefix' } },
  rollback = { function(a) run('ddlsp.rollback', a) end, { 'to', 'toExclusive', 'step', 'all', 'database', 'prefix' } },
  redo = { function(a) run('ddlsp.redo', a) end, { 'database' } },
  status = { status, { 'database' } },
  verify = { verify, { 'version' } },
  sql = { show_sql, { 'up', 'down' } },
  schema = { schema, { 'at', 'format' } },
  command = { tool_command, { 'up', 'down' } },
  new = { new_migration, { 'template', 'name', 'table', 'dir' } },
  explain = { explain, { 'rule' } },
  database = { select_database, { 'database' } },
  restart = { restart, {} },
  version = { version, {} },
  log = { show_log, {} },
}

--- What a bare word after a subcommand means.
local bare = {
  migrate = { 'to' },
  rollback = { 'to' },
  new = { 'template', 'name' },
  explain = { 'rule' },
  database = { 'database' },
  schema = { 'at' },
  verify = { 'version' },
}

--- Reads the words after a subcommand: `key=value`, flags, and bare words.
---@return table? args, string? problem
local function parse(name, words)
  local args, position = {}, 1
  local known = subcommands[name][2]
  for _, word in ipairs(words) do
    local key, v = word:match('^(%a+)=(.*)$')
    if key then
      if not vim.tbl_contains(known, key) then
        return nil, ('%s takes no %s'):format(name, key)
      end
      if key == 'step' then
        v = tonumber(v)
        if not v or v < 1 or v ~= math.floor(v) then
          return nil, 'step is a whole number from 1'
        end
      end
      args[key] = v
    elseif (name == 'sql' or name == 'command') and (word == 'up' or word == 'down') then
      args.direction = word
    elseif name == 'rollback' and word == 'all' then
      args.all = true
    elseif bare[name] and bare[name][position] then
      args[bare[name][position]] = word
      position = position + 1
    else
      return nil, ('%s does not take "%s"'):format(name, word)
    end
  end
  return args
end

--- Carries out :Ddlsp.
---@param opts { fargs: string[] }
function M.command(opts)
  local name = opts.fargs[1]
  if not name then
    local names = vim.tbl_keys(subcommands)
    table.sort(names)
    return vim.ui.select(names, { prompt = 'ddlsp', kind = 'ddlsp' }, function(choice)
      if choice then
        M.command({ fargs = { choice } })
      end
    end)
  end
  local sub = subcommands[name]
  if not sub then
    return fail(('there is no subcommand "%s"'):format(name))
  end
  local args, problem = parse(name, vim.list_slice(opts.fargs, 2))
  if not args then
    return fail(problem)
  end
  sub[1](args)
end

--- Completes the words of :Ddlsp.
---@param lead string
---@param line string
---@return string[]
function M.complete(lead, line)
  local words = vim.split(vim.trim(line:gsub('^%S*Ddlsp!?', '', 1)), '%s+', { trimempty = true })
  local candidates
  if #words == 0 or (#words == 1 and lead ~= '') then
    candidates = vim.tbl_keys(subcommands)
  else
    candidates = {}
    for _, option in ipairs(subcommands[words[1]] and subcommands[words[1]][2] or {}) do
      local flag = option == 'all' or option == 'up' or option == 'down'
      candidates[#candidates + 1] = flag and option or option .. '='
    end
  end
  table.sort(candidates)
  return vim.tbl_filter(function(c)
    return vim.startswith(c, lead)
  end, candidates)
end

--- Handlers of the server's commands, for lenses and code actions.
M.client_commands = {}
for id, handler in pairs({
  ['ddlsp.migrate'] = function(a) run('ddlsp.migrate', a) end,
  ['ddlsp.rollback'] = function(a) run('ddlsp.rollback', a) end,
  ['ddlsp.redo'] = function(a) run('ddlsp.redo', a) end,
  ['ddlsp.status'] = status,
  ['ddlsp.verify'] = verify,
  ['ddlsp.showSql'] = show_sql,
  ['ddlsp.schema'] = schema,
  ['ddlsp.toolCommand'] = tool_command,
  ['ddlsp.newMigration'] = new_migration,
  ['ddlsp.explain'] = explain,
  ['ddlsp.selectDatabase'] = select_database,
}) do
  M.client_commands[id] = function(command)
    handler(vim.deepcopy(list(command.arguments)[1] or {}))
  end
end

return M
