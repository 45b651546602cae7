-- A user's session in a real Neovim with the real server and a real database.
-- usage: nvim --clean --headless -u init.lua -l spec.lua WORKSPACE
-- WORKSPACE holds a copy of the fixture; PG* lead to the database server, on
-- which the databases named by METRICS_DB and SHOP_DB are empty.
local workspace = assert(arg[1])
local metrics, shop = workspace .. '/metrics', workspace .. '/shop'
local metrics_db, shop_db = assert(vim.env.METRICS_DB), assert(vim.env.SHOP_DB)
local passed, failed = 0, 0

-- The plugin is loaded after -l has begun, unlike in a session on a screen.
vim.cmd.runtime({ 'plugin/**/*.lua', bang = true })

local function eventually(what, condition, timeout)
  local result
  if not vim.wait(timeout or tonumber(vim.env.WAIT or 10000), function()
    result = condition()
    return result
  end, 20) then
    error('waited in vain for ' .. what, 2)
  end
  return result
end

local function equal(got, want, what)
  if not vim.deep_equal(got, want) then
    error(('%s: got %s, want %s'):format(what or 'value', vim.inspect(got), vim.inspect(want)), 2)
  end
end

local function check(name, test)
  if vim.env.ONLY and not vim.regex(vim.env.ONLY):match_str(name) then
    return
  end
  local ok, err = xpcall(test, debug.traceback)
  if ok then
    passed = passed + 1
    io.stdout:write('ok   ' .. name .. '\n')
  else
    failed = failed + 1
    io.stdout:write('FAIL ' .. name .. '\n     ' .. tostring(err):gsub('\n', '\n     ') .. '\n')
  end
end

local function query(database, sql)
  local psql = { 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', database, '-c', sql }
  local r = vim.system(psql, { text = true, env = { PGPASSWORD = vim.env.TEST_PASSWORD } }):wait()
  if r.code ~= 0 then
    error(r.stderr, 2)
  end
  return vim.trim(r.stdout)
end

local function exists(database, relation)
  return query(database, ("SELECT to_regclass('public.%s') IS NOT NULL"):format(relation)) == 't'
end

-- The user's answers, and what was asked and said.
local asked, said, answers = {}, {}, {}
vim.ui.select = function(items, opts, on_choice)
  asked[#asked + 1] = opts.prompt
  local answer = table.remove(answers, 1)
  for i, item in ipairs(items) do
    local label = opts.format_item and opts.format_item(item) or tostring(item)
    if answer and label:find(answer, 1, true) == 1 then
      return vim.schedule(function()
        on_choice(item, i)
      end)
    end
  end
  vim.schedule(function()
    on_choice(nil, nil)
  end)
end
vim.ui.input = function(opts, on_confirm)
  asked[#asked + 1] = opts.prompt
  local answer = table.remove(answers, 1)
  vim.schedule(function()
    on_confirm(answer)
  end)
end
vim.notify = function(message)
  said[#said + 1] = message
end

local function forget()
  asked, said, answers = {}, {}, {}
end

local function heard(pattern, timeout)
  return eventually('the message ' .. pattern .. '; said: ' .. vim.inspect(said) .. ', asked: ' .. vim.inspect(asked), function()
    for _, message in ipairs(said) do
      if message:find(pattern) then
        return message
      end
    end
  end, timeout)
end

local function attached(bufnr)
  return vim.lsp.get_clients({ name = 'ddlsp', bufnr = bufnr })[1]
end

local function request_sync(client, method, params, bufnr)
  if vim.fn.has('nvim-0.11') == 1 then
    return client:request_sync(method, params, 5000, bufnr)
  end
  return client.request_sync(method, params, 5000, bufnr)
end

local function open(path)
  local bufnr = vim.fn.bufnr(path)
  if bufnr ~= -1 and vim.api.nvim_buf_is_loaded(bufnr) then
    vim.cmd.buffer(bufnr) -- :edit would read it anew
  else
    vim.cmd.edit(vim.fn.fnameescape(path))
  end
  return vim.api.nvim_get_current_buf()
end

local function diagnostic(bufnr, code)
  for _, d in ipairs(vim.diagnostic.get(bufnr)) do
    if d.code == code then
      return d
    end
  end
end

local function text(bufnr)
  return table.concat(vim.api.nvim_buf_get_lines(bufnr, 0, -1, false), '\n')
end

local index_file = metrics .. '/migrations/00002_index_device_names.sql'

check('the server starts for a SQL migration', function()
  local bufnr = open(index_file)
  local client = eventually('the server', function()
    return attached(bufnr)
  end)
  eventually('its initialisation', function()
    return client.initialized
  end)
  equal(client.config.root_dir, metrics, 'root')
  if vim.fn.has('nvim-0.11') == 1 then
    equal(client.server_info.name, 'ddlsp', 'name')
  end
end)

check('it leaves files alone that are no migrations', function()
  local bufnr = open(shop .. '/lib/shop/repo.ex')
  local config = open(shop .. '/config/config.exs')
  vim.wait(200)
  equal(attached(bufnr), nil, 'client of repo.ex')
  equal(attached(config), nil, 'client of config.exs')
end)

check('an index built under a write lock is a problem', function()
  local bufnr = open(index_file)
  local d = eventually('the diagnostic', function()
    return diagnostic(bufnr, 'require-concurrent-index-creation')
  end)
  equal(d.source, 'ddlsp', 'source')
  equal(d.lnum, 1, 'line')
end)

check('status lists what is pending', function()
  open(index_file)
  vim.cmd('Ddlsp status')
  eventually('the window', function()
    return vim.api.nvim_buf_get_name(0):find('ddlsp://status', 1, true)
  end)
  local lines = text(0)
  assert(lines:find(metrics_db .. ' on 127.0.0.1:' .. vim.env.PGPORT, 1, true), lines)
  assert(lines:find('pending%s+0*1 create_devices'), lines)
  vim.cmd('normal q')
end)

check('the SQL of a migration is shown with its locks', function()
  open(index_file)
  vim.cmd('Ddlsp sql up')
  eventually('the window', function()
    return vim.api.nvim_buf_get_name(0):find('ddlsp://', 1, true)
  end)
  local lines = text(0)
  assert(lines:find('CREATE INDEX devices_name_idx ON devices (name);', 1, true), lines)
  assert(lines:find('-- locks devices: SHARE', 1, true), lines)
  vim.cmd('normal q')
end)

check('the schema is shown that the migrations leave', function()
  open(index_file)
  vim.cmd('Ddlsp schema')
  eventually('the window', function()
    return vim.api.nvim_buf_get_name(0):find('ddlsp://schema.sql', 1, true)
  end)
  local lines = text(0)
  assert(lines:find('CREATE TABLE devices', 1, true), lines)
  vim.cmd('normal q')
end)

check('the command of the own tool is yanked', function()
  forget()
  open(index_file)
  vim.cmd('Ddlsp command up')
  heard('goose %-dir migrations')
  equal(vim.fn.getreg('"'), 'goose -dir migrations postgres "$GOOSE_DBSTRING" up-to 2', 'register')
end)

check('a quick fix mends it', function()
  local bufnr = open(index_file)
  vim.api.nvim_win_set_cursor(0, { 2, 0 })
  vim.lsp.buf.code_action({
    context = { only = { 'quickfix' }, diagnostics = {} },
    filter = function(action)
      return action.isPreferred
    end,
    apply = true,
  })
  eventually('CONCURRENTLY; text: ' .. text(bufnr), function()
    return text(bufnr):find('CREATE INDEX CONCURRENTLY devices_name_idx', 1, true)
  end)
  eventually('the diagnostic to go', function()
    return not diagnostic(bufnr, 'require-concurrent-index-creation') and not diagnostic(bufnr, 'concurrent-index-in-transaction')
  end)
end)

check('nothing runs while a buffer is not written', function()
  forget()
  open(index_file)
  vim.cmd('Ddlsp migrate')
  heard('not written')
  equal(asked, {}, 'questions')
  vim.cmd('silent write')
end)

check('a template completes an empty migration', function()
  local bufnr = open(metrics .. '/migrations/00003_create_readings.sql')
  local client = eventually('the server', function()
    return attached(bufnr)
  end)
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  local response = assert(request_sync(client, 'textDocument/completion', params, bufnr))
  assert(not response.err, vim.inspect(response.err))
  local items = response.result.items or response.result
  local item
  for _, i in ipairs(items) do
    if i.label:find('^create_table') then
      item = i
    end
  end
  assert(item, 'no create_table among ' .. vim.inspect(vim.tbl_map(function(i)
    return i.label
  end, items)))
  -- Neovim 0.10 does not say that it knows snippets.
  local snippets = vim.fn.has('nvim-0.11') == 1
  equal(item.insertTextFormat, snippets and 2 or 1, 'format')
  vim.snippet.expand(item.textEdit and item.textEdit.newText or item.insertText)
  assert(not snippets or vim.snippet.active(), 'no snippet is active')
  vim.snippet.stop()
  vim.cmd.stopinsert()
  local lines = text(bufnr)
  assert(lines:find('CREATE TABLE readings', 1, true), lines)
  assert(lines:find('-- +goose Down', 1, true), lines)
  vim.cmd('silent write')
  eventually('a clean file; there are ' .. vim.inspect(vim.diagnostic.get(bufnr)), function()
    return #vim.diagnostic.get(bufnr, { severity = { min = vim.diagnostic.severity.WARN } }) == 0
  end)
end)

check('migrate asks first, and a no changes nothing', function()
  forget()
  open(index_file)
  answers = { 'Cancel' }
  vim.cmd('Ddlsp migrate')
  heard('nothing was changed')
  assert(asked[1]:find(('Apply 3 migrations to %s on 127.0.0.1:%s?'):format(metrics_db, vim.env.PGPORT), 1, true), asked[1])
  assert(asked[1]:find('index_device_names', 1, true), asked[1])
  equal(exists(metrics_db, 'devices'), false, 'table devices')
end)

check('migrate runs after a yes', function()
  forget()
  open(index_file)
  answers = { 'Migrate' }
  local event
  vim.api.nvim_create_autocmd('User', {
    pattern = 'DdlspRun',
    once = true,
    callback = function(args)
      event = args.data
    end,
  })
  vim.cmd('Ddlsp migrate')
  heard('applied 3 migrations', 30000)
  equal(query(metrics_db, 'SELECT string_agg(version_id::text, \',\' ORDER BY id) FROM goose_db_version WHERE is_applied AND version_id > 0'), '1,2,3', 'rows')
  equal(exists(metrics_db, 'readings'), true, 'table readings')
  equal(query(metrics_db, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'devices_name_idx'::regclass"), 't', 'index')
  equal(event and event.direction, 'up', 'event')
end)

check('a second time there is nothing to do', function()
  forget()
  open(index_file)
  vim.cmd('Ddlsp migrate')
  heard('nothing to migrate')
end)

check('rollback to a version', function()
  forget()
  open(index_file)
  answers = { 'Roll back' }
  vim.cmd('Ddlsp rollback 2')
  heard('rolled back 2 migrations', 30000)
  equal(query(metrics_db, 'SELECT max(version_id) FROM goose_db_version'), '1', 'version')
  equal(exists(metrics_db, 'readings'), false, 'table readings')
  equal(exists(metrics_db, 'devices'), true, 'table devices')
end)

check('a code action runs what :Ddlsp runs, and asks as it does', function()
  forget()
  open(index_file)
  vim.api.nvim_win_set_cursor(0, { 3, 0 })
  answers = { 'Cancel' }
  vim.lsp.buf.code_action({
    context = { only = { 'ddlsp.run' }, diagnostics = {} },
    filter = function(action)
      local command = type(action.command) == 'table' and action.command.command or action.command
      return command == 'ddlsp.migrate'
    end,
    apply = true,
  })
  heard('nothing was changed')
  assert(asked[1]:find(('Apply 1 migration to %s on'):format(metrics_db), 1, true), asked[1])
  equal(query(metrics_db, 'SELECT max(version_id) FROM goose_db_version'), '1', 'version')
end)

check('a protected database wants its name typed', function()
  forget()
  open(index_file)
  answers = { 'Migrate', 'no' }
  vim.cmd('Ddlsp migrate database=live')
  heard('nothing was changed')
  assert(asked[2]:find('is protected', 1, true), vim.inspect(asked))
  equal(query(metrics_db, 'SELECT max(version_id) FROM goose_db_version'), '1', 'version')
  forget()
  answers = { 'Migrate', metrics_db }
  vim.cmd('Ddlsp migrate database=live')
  heard('applied 2 migrations', 30000)
  equal(query(metrics_db, 'SELECT max(version_id) FROM goose_db_version'), '3', 'version')
end)

check('a failing migration says where', function()
  forget()
  local bad = metrics .. '/migrations/00004_fail.sql'
  vim.fn.writefile({ '-- +goose Up', 'CREATE TABLE sensors (id bigint PRIMARY KEY);', 'ALTER TABLE nowhere ADD COLUMN x int;', '', '-- +goose Down', 'DROP TABLE sensors;' }, bad)
  open(bad)
  answers = { 'Migrate' }
  vim.cmd('Ddlsp migrate')
  local message = heard('42P01', 30000)
  assert(message:find('nowhere', 1, true), message)
  local item = vim.fn.getqflist()[1]
  equal(item and item.lnum, 3, 'line in the quickfix list')
  equal(exists(metrics_db, 'sensors'), false, 'table sensors')
  vim.cmd('bwipeout!')
  vim.fn.delete(bad)
end)

check('a new migration is written from a template', function()
  forget()
  open(index_file)
  vim.wait(200)
  vim.cmd('Ddlsp new create_table create_stations')
  eventually('the new file; said ' .. vim.inspect(said), function()
    return vim.api.nvim_buf_get_name(0):find('migrations/%d+_create_stations%.sql$')
  end)
  assert(text(0):find('CREATE TABLE stations', 1, true), text(0))
end)

check('a rule is explained', function()
  open(metrics .. '/migrations/00002_index_device_names.sql')
  vim.cmd('Ddlsp explain require-concurrent-index-creation')
  eventually('the page', function()
    return vim.api.nvim_buf_get_name(0):find('ddlsp://require-concurrent-index-creation.md', 1, true)
  end)
  assert(text(0):find('CONCURRENTLY', 1, true), text(0))
  vim.cmd('normal q')
end)

check('an Ecto migration has problems and fixes too', function()
  local bufnr = open(shop .. '/priv/repo/migrations/20260102000000_index_product_names.exs')
  local client = eventually('the server', function()
    return attached(bufnr)
  end)
  equal(client.config.root_dir, shop, 'root')
  local d = eventually('the diagnostic', function()
    return diagnostic(bufnr, 'require-concurrent-index-creation')
  end)
  vim.api.nvim_win_set_cursor(0, { d.lnum + 1, d.col })
  vim.lsp.buf.code_action({
    context = { only = { 'quickfix' }, diagnostics = {} },
    filter = function(action)
      return action.isPreferred
    end,
    apply = true,
  })
  eventually('concurrently: true; text: ' .. text(bufnr), function()
    return text(bufnr):find('concurrently: true', 1, true)
  end)
  eventually('the diagnostics to go', function()
    return not diagnostic(bufnr, 'require-concurrent-index-creation') and not diagnostic(bufnr, 'concurrent-index-in-transaction')
  end)
  assert(text(bufnr):find('@disable_ddl_transaction true', 1, true), text(bufnr))
  vim.cmd('silent write')
end)

check('Ecto migrations run and roll back', function()
  forget()
  open(shop .. '/priv/repo/migrations/20260102000000_index_product_names.exs')
  answers = { 'Migrate' }
  vim.cmd('Ddlsp migrate')
  heard('applied 2 migrations', 30000)
  equal(query(shop_db, 'SELECT string_agg(version::text, \',\' ORDER BY version) FROM schema_migrations'), '20260101000000,20260102000000', 'rows')
  equal(exists(shop_db, 'products_name_index'), true, 'index')
  forget()
  answers = { 'Roll back' }
  vim.cmd('Ddlsp rollback')
  heard('rolled back 1 migration', 30000)
  equal(exists(shop_db, 'products_name_index'), false, 'index')
  equal(query(shop_db, 'SELECT count(*) FROM schema_migrations'), '1', 'rows')
end)

check('restart starts a new server', function()
  local bufnr = open(index_file)
  local before = attached(bufnr).id
  vim.cmd('Ddlsp restart')
  local after = eventually('another server', function()
    local client = attached(bufnr)
    return client and client.id ~= before and client.initialized and client
  end)
  assert(after.id ~= before)
  eventually('the other project to have its server again', function()
    local clients = vim.lsp.get_clients({ name = 'ddlsp' })
    return #clients == 2 and clients[1].initialized and clients[2].initialized
  end)
end)

check('a server that does not run is explained', function()
  forget()
  if not vim.lsp.enable then
    io.stdout:write('SKIPPED vim.lsp.enable came with Neovim 0.11\n')
    return
  end
  local bufnr = open(index_file)
  vim.lsp.enable('ddlsp', false)
  eventually('the server to go', function()
    return #vim.lsp.get_clients({ name = 'ddlsp' }) == 0
  end)
  vim.cmd('Ddlsp migrate')
  heard('the server is not running')
  vim.lsp.enable('ddlsp')
  vim.api.nvim_exec_autocmds('FileType', { buffer = bufnr })
  eventually('the server to be back', function()
    return attached(bufnr)
  end)
end)

check('beside another server each says its own', function()
  local words = {}
  local neighbour = vim.lsp.start({
    name = 'neighbour',
    root_dir = shop,
    cmd = function(dispatchers)
      local closing = false
      return {
        request = function(method, _, callback)
          if method == 'initialize' then
            callback(nil, { capabilities = { textDocumentSync = 1, completionProvider = { triggerCharacters = { '.', '@' } }, hoverProvider = true } })
          elseif method == 'textDocument/completion' then
            words[#words + 1] = method
            callback(nil, { { label = 'from_the_neighbour' } })
          else
            callback(nil, vim.NIL)
          end
          return true, 1
        end,
        notify = function(method, params)
          if method == 'textDocument/didOpen' then
            dispatchers.notification('textDocument/publishDiagnostics', {
              uri = params.textDocument.uri,
              diagnostics = { { range = { start = { line = 0, character = 0 }, ['end'] = { line = 0, character = 3 } }, message = 'seen', source = 'neighbour' } },
            })
          end
          return true
        end,
        is_closing = function()
          return closing
        end,
        terminate = function()
          closing = true
        end,
      }
    end,
  }, { bufnr = open(shop .. '/priv/repo/migrations/20260101000000_create_products.exs') })
  local bufnr = vim.api.nvim_get_current_buf()
  local client = eventually('both', function()
    return #vim.lsp.get_clients({ bufnr = bufnr }) == 2 and attached(bufnr)
  end)
  eventually('the problem of the neighbour', function()
    return #vim.tbl_filter(function(d)
      return d.source == 'neighbour'
    end, vim.diagnostic.get(bufnr)) == 1
  end)
  -- Behind a dot of Elixir's own, nothing comes from ddlsp.
  vim.api.nvim_buf_set_lines(bufnr, 4, 4, false, { '    Enum.' })
  vim.api.nvim_win_set_cursor(0, { 5, 9 })
  vim.wait(100)
  local answers_here = vim.lsp.buf_request_sync(bufnr, 'textDocument/completion', {
    textDocument = { uri = vim.uri_from_bufnr(bufnr) },
    position = { line = 4, character = 9 },
  }, 5000)
  local function labels(id)
    local r = answers_here[id] and answers_here[id].result
    return vim.tbl_map(function(i)
      return i.label
    end, r and r ~= vim.NIL and (r.items or r) or {})
  end
  equal(labels(neighbour), { 'from_the_neighbour' }, 'completions of the neighbour')
  equal(labels(client.id), {}, 'completions of ddlsp')
  vim.cmd('edit!')
  local other = vim.lsp.get_client_by_id(neighbour)
  if vim.fn.has('nvim-0.11') == 1 then
    other:stop(true)
  else
    other.stop(true)
  end
end)

check('SQL in execute is SQL to tree-sitter', function()
  if not pcall(vim.treesitter.language.inspect, 'elixir') then
    io.stdout:write('SKIPPED no tree-sitter parsers were built\n')
    return
  end
  local bufnr = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, vim.split([==[
defmodule M do
  use Ecto.Migration

  def change do
    execute "CREATE TABLE one (id int)", "DROP TABLE one"
    execute("""
    CREATE TABLE two (id int)
    """)
    execute ~s|CREATE TABLE three (id int)|
    repo().query!("CREATE TABLE four (id int)")
    add :a, :text, default: fragment("now()")
    other "CREATE TABLE five (id int)"
  end
end]==], '\n'))
  local parser = vim.treesitter.get_parser(bufnr, 'elixir')
  parser:parse(true)
  local sql = assert(parser:children().sql, 'nothing is injected')
  local found = {}
  for _, tree in pairs(sql:trees()) do
    found[#found + 1] = vim.trim(vim.treesitter.get_node_text(tree:root(), bufnr))
  end
  found = table.concat(found, ' | ')
  for _, words in ipairs({ 'TABLE one', 'DROP TABLE one', 'TABLE two', 'TABLE three', 'TABLE four', 'now()' }) do
    assert(found:find(words, 1, true), words .. ' is not among ' .. found)
  end
  assert(not found:find('five', 1, true), found)
end)

check(':Ddlsp completes and refuses', function()
  equal(vim.fn.getcompletion('Ddlsp mi', 'cmdline'), { 'migrate' }, 'subcommands')
  equal(vim.fn.getcompletion('Ddlsp rollback a', 'cmdline'), { 'all' }, 'options')
  forget()
  vim.cmd('Ddlsp migrate tables=3')
  heard('migrate takes no tables')
  vim.cmd('Ddlsp fly')
  heard('no subcommand "fly"')
end)

check('the help has its tags', function()
  vim.cmd('help :Ddlsp-rollback')
  assert(vim.api.nvim_get_current_line():find('*:Ddlsp-rollback*', 1, true), vim.api.nvim_get_current_line())
  vim.cmd('helpclose')
end)

check('checkhealth is content', function()
  vim.cmd('silent checkhealth ddlsp')
  local lines = eventually('the report', function()
    local all = text(0)
    return all:find('the server is') and all
  end)
  assert(not lines:find('ERROR') and (vim.fn.has('nvim-0.11') == 0 or not lines:find('WARNING')), lines)
end)

io.stdout:write(('%d passed, %d failed\n'):format(passed, failed))
io.stdout:flush()
os.exit(failed == 0 and 0 or 1)
