-- The words that the server's answers are shown in.
local M = {}

local function value(v)
  return v ~= vim.NIL and v or nil
end

local function list(t)
  return type(t) == 'table' and t or {}
end

local function count(n, one)
  return ('%d %s%s'):format(n, one, n == 1 and '' or 's')
end

function M.target(r)
  return (value(r.host) or '') == '' and r.database or ('%s on %s'):format(r.database, r.host)
end

function M.title(m)
  return (value(m.name) or '') == '' and m.version or m.version .. ' ' .. m.name
end

local verbs = { ['ddlsp.migrate'] = 'Migrate', ['ddlsp.rollback'] = 'Roll back', ['ddlsp.redo'] = 'Redo' }

function M.verb(command)
  return verbs[command]
end

--- The question before a run, and the migrations it is about.
---@return string question, string[] migrations
function M.question(command, plan)
  local lines, versions, n = {}, {}, 0
  for _, m in ipairs(list(plan.migrations)) do
    if not versions[m.version] then
      versions[m.version] = true
      n = n + 1
    end
    local direction = command == 'ddlsp.redo' and m.direction .. ': ' or ''
    lines[#lines + 1] = ('  %s%s (%s)'):format(direction, M.title(m), count(m.statements, 'statement'))
  end
  if #list(plan.drops) > 0 then
    lines[#lines + 1] = 'This drops ' .. table.concat(plan.drops, ', ') .. '.'
  end
  vim.list_extend(lines, list(plan.notes))
  local act = command == 'ddlsp.migrate' and 'Apply %s to %s?' or M.verb(command) .. ' %s in %s?'
  return act:format(count(n, 'migration'), M.target(plan)), lines
end

function M.nothing(command, plan)
  if command == 'ddlsp.migrate' then
    return ('nothing to migrate: %s is up to date'):format(M.target(plan))
  end
  return 'nothing to roll back in ' .. M.target(plan)
end

function M.outcome(result)
  local applied, rolled_back, ms = 0, 0, 0
  for _, m in ipairs(list(result.migrations)) do
    applied = applied + (m.outcome == 'applied' and 1 or 0)
    rolled_back = rolled_back + (m.outcome == 'rolled_back' and 1 or 0)
    ms = ms + (value(m.duration_ms) or 0)
  end
  local parts = {}
  if rolled_back > 0 then
    parts[#parts + 1] = 'rolled back ' .. count(rolled_back, 'migration')
  end
  if applied > 0 then
    parts[#parts + 1] = 'applied ' .. count(applied, 'migration')
  end
  if #parts == 0 then
    parts[1] = 'changed nothing'
  end
  return ('%s in %s (%d ms)'):format(table.concat(parts, ' and '), M.target(result), ms)
end

--- What went wrong, and what the database holds now.
function M.failure(result)
  local err = result.error
  local words = {}
  for _, m in ipairs(list(result.migrations)) do
    if m.outcome == 'failed' then
      words[#words + 1] = M.title(m) .. ':'
    end
  end
  words[#words + 1] = err.message
  if (value(err.sqlstate) or '') ~= '' then
    words[#words + 1] = ('(SQLSTATE %s)'):format(err.sqlstate)
  end
  if (value(err.remains) or '') ~= '' then
    words[#words + 1] = err.remains
  end
  return table.concat(words, ' ')
end

local states = { applied = 'applied', pending = 'pending', missing = 'file missing', out_of_order = 'out of order', dirty = 'dirty' }

--- The state of a database as lines, and the path that belongs to each.
---@return string[] lines, table<integer, string> paths
function M.status(result)
  local lines, paths = { M.target(result), ('%s, versions in %s'):format(result.format, result.version_table), '' }, {}
  local migrations = list(result.migrations)
  if #migrations == 0 then
    lines[#lines + 1] = 'no migrations'
  end
  local width = 0
  for _, m in ipairs(migrations) do
    width = math.max(width, vim.fn.strdisplaywidth(M.title(m)))
  end
  for _, m in ipairs(migrations) do
    local when = value(m.applied_at)
    local title = M.title(m)
    local line = ('%-12s  %s%s%s%s'):format(
      states[m.state] or m.state,
      title,
      (' '):rep(width - vim.fn.strdisplaywidth(title)),
      when and '  ' .. when or '',
      value(m.edited) == true and '  edited since' or ''
    )
    lines[#lines + 1] = (line:gsub('%s+$', ''))
    paths[#lines] = value(m.path)
  end
  return lines, paths
end

local transactions = {
  explicit = 'in a transaction',
  implicit = 'in the implicit transaction of a statement list',
  none = 'outside a transaction',
}

local origins = {
  derived = ' (derived from the other direction)',
  missing = ' (this direction is missing)',
  empty = ' (this direction does nothing)',
  raises = ' (this direction raises an error)',
}

local function one_line(s)
  return vim.trim((s:gsub('%s*\n%s*', ' ')))
end

local function statement_lines(lines, sql, locks)
  for _, lock in ipairs(list(locks)) do
    lines[#lines + 1] = ('-- locks %s: %s'):format(lock.relation, lock.mode)
  end
  sql = sql:gsub('%s+$', '')
  vim.list_extend(lines, vim.split(sql:sub(-1) == ';' and sql or sql .. ';', '\n'))
end

--- What a plan would send, as commented SQL.
---@return string[]
function M.plan(plan)
  local lines = { '-- ' .. M.target(plan) }
  for _, m in ipairs(list(plan.migrations)) do
    local transaction = transactions[m.transaction]
    vim.list_extend(lines, { '', ('-- %s: %s%s'):format(M.title(m), m.direction, transaction and ', ' .. transaction or '') })
    for _, s in ipairs(list(m.sql)) do
      lines[#lines + 1] = ''
      statement_lines(lines, s.sql, s.locks)
    end
  end
  return lines
end

--- What one direction of a migration sends, as commented SQL.
---@return string[]
function M.sql(r)
  local lines = { ('-- %s: %s%s'):format(M.title(r), r.direction, origins[r.origin] or '') }
  local statements = list(r.statements)
  if #statements > 0 then
    lines[#lines + 1] = ('-- %s, %s'):format(count(#statements, 'statement'), transactions[r.transaction] or r.transaction)
  end
  for _, s in ipairs(statements) do
    lines[#lines + 1] = ''
    if (value(s.opaque) or '') ~= '' then
      lines[#lines + 1] = '-- cannot be read: ' .. one_line(s.opaque)
    end
    statement_lines(lines, s.sql, s.locks)
  end
  if value(r.error) then
    vim.list_extend(lines, { '', '-- fails here: ' .. one_line(r.error.message) })
  end
  return lines
end

--- The report of a verification.
---@return string[]
function M.verify(r)
  local lines = {}
  for _, m in ipairs(list(r.migrations)) do
    lines[#lines + 1] = ('%-14s  %s'):format(m.outcome, M.title(m))
    for _, d in ipairs(list(m.differences)) do
      lines[#lines + 1] = ('    %s: %s'):format(d.object, d.kind)
    end
    if value(m.error) then
      vim.list_extend(lines, vim.split('    ' .. m.error.message, '\n'))
    end
  end
  if #lines == 0 then
    lines[1] = 'There was nothing to verify.'
  end
  return lines
end

--- A name that a migration's file may carry.
function M.name(typed)
  local name = vim.trim(typed):gsub('(%l)(%u)', '%1_%2'):lower():gsub('[%s%p]+', '_')
  return (name:gsub('^_+', ''):gsub('_+$', ''))
end

return M
