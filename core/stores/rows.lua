-- rows.py in Lua, for scripts that run inside Redis. The two agree step by step; tests/test_redis.py holds them to it.
-- KEYS[1] is a hash: one row of JSON per counter key. Numbers are stored as text of 17 digits: cjson writes 14, too few for
-- a time. Windows are compared as text; those of one counter have one format and length, so every collation orders them
-- alike.

local WINDOWS_KEPT, SLACK, SLOTS, ARRIVAL_SECONDS = 3, 1e-9, 240, 5

local function number(found)
  return tonumber(found) or error('a number is garbled')
end

local function text(found)
  return string.format('%.17g', found)
end

local function rounded(found)
  return tonumber(string.format('%.6f', found))
end

-- Lists on the wire: key, kind, ceiling, window, next window, begins, ends, span; a claim adds cost and leave.
local function counter_from(found)
  return {
    key = found[1], kind = found[2], ceiling = number(found[3]), window = found[4], next_window = found[5],
    begins = number(found[6]), ends = number(found[7]), span = number(found[8]),
  }
end

local function row_from(stored)
  local row = {used = {}, entries = {}, drained = 0, at = 0, open = {}, promised = {}, cap_until = 0}
  if not stored then return row end
  local found = cjson.decode(stored)
  for window, cost in pairs(found.used or {}) do row.used[window] = number(cost) end
  for n, e in ipairs(found.entries or {}) do row.entries[n] = {at = number(e[1]), cost = number(e[2])} end
  for hold, o in pairs(found.open or {}) do
    row.open[hold] = {
      cost = number(o[1]), made = number(o[2]), expires = number(o[3]), window = o[4], drawn = number(o[5]),
    }
  end
  for envelope, p in pairs(found.promised or {}) do
    row.promised[envelope] = {left = number(p[1]), made = number(p[2]), expires = number(p[3])}
  end
  row.drained, row.at, row.cap_until = number(found.drained), number(found.at), number(found.cap_until or 0)
  if found.cap then row.cap = number(found.cap) end
  return row
end

local function told(row)
  local found = {drained = text(row.drained), at = text(row.at)}
  if row.cap then found.cap, found.cap_until = text(row.cap), text(row.cap_until) end
  if next(row.used) then
    found.used = {}
    for window, cost in pairs(row.used) do found.used[window] = text(cost) end
  end
  if #row.entries > 0 then
    found.entries = {}
    for n, e in ipairs(row.entries) do found.entries[n] = {text(e.at), text(e.cost)} end
  end
  if next(row.open) then
    found.open = {}
    for hold, o in pairs(row.open) do
      found.open[hold] = {text(o.cost), text(o.made), text(o.expires), o.window, text(o.drawn)}
    end
  end
  if next(row.promised) then
    found.promised = {}
    for envelope, p in pairs(row.promised) do
      found.promised[envelope] = {text(p.left), text(p.made), text(p.expires)}
    end
  end
  return cjson.encode(found)
end

local function rows_of(counters)
  local keys, rows = {}, {}
  if #counters == 0 then return rows end
  for n, counter in ipairs(counters) do keys[n] = counter.key end
  for n, stored in ipairs(redis.call('HMGET', KEYS[1], unpack(keys))) do rows[n] = row_from(stored) end
  return rows
end

local function write(counters, rows)
  if #counters == 0 then return end
  local found = {}
  for n, counter in ipairs(counters) do
    table.insert(found, counter.key)
    table.insert(found, told(rows[n]))
  end
  redis.call('HSET', KEYS[1], unpack(found))
end

local function held(row)
  local total = 0
  for _, o in pairs(row.open) do total = total + o.cost end
  return total
end

local function spent(row, counter)
  local total = 0
  if counter.kind == 'calendar' then
    for window, cost in pairs(row.used) do
      if window >= counter.window then total = total + cost end
    end
    for _, o in pairs(row.open) do
      if o.window < counter.window and o.made + ARRIVAL_SECONDS > counter.begins then total = total + o.cost end
    end
  elseif counter.kind == 'refill' then
    total = row.drained
  else
    total = held(row)
    for _, e in ipairs(row.entries) do total = total + e.cost end
  end
  return rounded(total)
end

local function kept_free(row, envelope)
  local total = 0
  for name, p in pairs(row.promised) do
    if name ~= envelope then total = total + p.left end
  end
  return rounded(total)
end

local function limit(row, counter)
  return row.cap and math.min(counter.ceiling, row.cap) or counter.ceiling
end

local function ceiling(row, counter, now)
  local most = limit(row, counter)
  local is_probe = most < counter.ceiling and now >= row.cap_until and spent(row, counter) == 0
  return is_probe and counter.ceiling or most
end

local function ends(row, counter)
  local found = {}
  if counter.kind ~= 'concurrent' then
    for _, e in ipairs(row.entries) do table.insert(found, {e.at + counter.span, e.cost}) end
  end
  for _, o in pairs(row.open) do
    local back = counter.kind == 'concurrent' and o.expires or o.made + ARRIVAL_SECONDS + counter.span
    table.insert(found, {back, o.cost})
  end
  return found
end

local function fits(row, counter, needed, now, envelope)
  return needed == 0 or needed <= ceiling(row, counter, now) - spent(row, counter) - kept_free(row, envelope) + SLACK
end

local function free_at(row, counter, needed, now, envelope)
  local over = spent(row, counter) + kept_free(row, envelope) + needed - ceiling(row, counter, now)
  if needed > counter.ceiling or counter.kind == 'calendar' then return '' end
  if counter.kind == 'refill' then return text(row.at + over * counter.span / limit(row, counter)) end
  local found = ends(row, counter)
  for name, p in pairs(row.promised) do
    if name ~= envelope then table.insert(found, {p.expires, p.left}) end
  end
  table.sort(found, function(a, b) return a[1] < b[1] or (a[1] == b[1] and a[2] < b[2]) end)
  for _, back in ipairs(found) do
    over = over - back[2]
    if over <= SLACK then return text(back[1]) end
  end
  return ''
end
