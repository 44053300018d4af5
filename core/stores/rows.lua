-- rows.py in Lua, for scripts that run inside Redis. The two agree step by step; tests/test_redis.py sees to that.
-- KEYS[1] is a hash: one packed row per counter key. Windows are compared as text; those of one counter have one
-- format and length, so every collation orders them alike.

local WINDOWS_KEPT, SLACK, SLOTS, ARRIVAL_SECONDS = 3, 1e-9, 240, 5

-- JSON for what a script answers: cjson writes 14 digits, too few for a time.
local function text(number)
  return number and string.format('%.17g', number) or 'null'
end

local function list(texts)
  return '[' .. table.concat(texts, ',') .. ']'
end

local function rounded(number)
  return math.floor(number * 1e6 + 0.5) / 1e6
end

-- From lists of key, kind, ceiling, window, next window, begins, ends, span; a claim adds cost and leave.
local function counters_from(lists)
  local counters = {}
  for n, found in ipairs(lists) do
    counters[n] = {
      key = found[1], kind = found[2], ceiling = found[3], window = found[4], next_window = found[5],
      begins = found[6], ends = found[7], span = found[8],
    }
  end
  return counters
end

-- A settled charge has the same place in `times` and in `costs`. Only `cap` may be missing.
local function row_from(stored)
  if not stored then
    return {used = {}, times = {}, costs = {}, drained = 0, at = 0, open = {}, promised = {}, cap_until = 0}
  end
  local row = cmsgpack.unpack(stored)
  local is_whole = row.used and row.times and row.costs and row.drained and row.at and row.open and row.promised
    and row.cap_until
  return is_whole and row or error('a row is garbled')
end

local function write(counters, rows)
  if #counters == 0 then return end
  local found = {}
  for n, counter in ipairs(counters) do
    found[2 * n - 1], found[2 * n] = counter.key, cmsgpack.pack(rows[n])
  end
  redis.call('HSET', KEYS[1], unpack(found))
end

local function held(row)
  local total = 0
  for _, hold in pairs(row.open) do total = total + hold.cost end
  return total
end

local function may_arrive_in(counter, hold)
  return hold.window < counter.window and hold.made + ARRIVAL_SECONDS >= counter.begins
end

local function spent(row, counter)
  local total = 0
  if counter.kind == 'calendar' then
    for window, cost in pairs(row.used) do
      if window >= counter.window then total = total + cost end
    end
    for _, hold in pairs(row.open) do
      if may_arrive_in(counter, hold) then total = total + hold.cost end
    end
  elseif counter.kind == 'refill' then
    total = row.drained
  else
    for _, cost in ipairs(row.costs) do total = total + cost end
    total = total + held(row)
  end
  return rounded(total)
end

local function kept_free(row, envelope)
  local total = 0
  for name, promise in pairs(row.promised) do
    if name ~= envelope then total = total + promise.left end
  end
  return rounded(total)
end

local function limit(row, counter)
  return math.min(counter.ceiling, row.cap or counter.ceiling)
end

local function ceiling(row, counter, now)
  local known = limit(row, counter)
  local is_probe = known < counter.ceiling and now >= row.cap_until and spent(row, counter) == 0
  return is_probe and counter.ceiling or known
end

local function ends(row, counter)
  local found = {}
  for n, at in ipairs(row.times) do found[n] = {at + counter.span, row.costs[n]} end
  for _, hold in pairs(row.open) do
    local back = counter.kind == 'concurrent' and hold.expires or hold.made + ARRIVAL_SECONDS + counter.span
    table.insert(found, {back, hold.cost})
  end
  return found
end

local function fits(row, counter, needed, now, envelope)
  local free = ceiling(row, counter, now) - spent(row, counter) - kept_free(row, envelope)
  return needed == 0 or needed <= free + SLACK
end

local function free_at(row, counter, needed, now, envelope)
  local over = spent(row, counter) + kept_free(row, envelope) + needed - ceiling(row, counter, now)
  if needed > counter.ceiling or counter.kind == 'calendar' then return nil end
  if counter.kind == 'refill' then return row.at + over * counter.span / limit(row, counter) end
  local found = ends(row, counter)
  for name, promise in pairs(row.promised) do
    if name ~= envelope then table.insert(found, {promise.expires, promise.left}) end
  end
  table.sort(found, function(a, b) return a[1] < b[1] or (a[1] == b[1] and a[2] < b[2]) end)
  for _, back in ipairs(found) do
    over = over - back[2]
    if over <= SLACK then return back[1] end
  end
end

local function rows_of(counters)
  local keys, rows = {}, {}
  if #counters == 0 then return rows end
  for n, counter in ipairs(counters) do keys[n] = counter.key end
  for n, stored in ipairs(redis.call('HMGET', KEYS[1], unpack(keys))) do rows[n] = row_from(stored) end
  return rows
end
