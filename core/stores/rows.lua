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
  for window, cost in pairs(found.used) do row.used[window] = number(cost) end
  for n, e in ipairs(found.entries) do row.entries[n] = {at = number(e[1]), cost = number(e[2])} end
  for hold, o in pairs(found.open) do
    row.open[hold] = {
      cost = number(o[1]), made = number(o[2]), expires = number(o[3]), window = o[4], drawn = number(o[5]),
    }
  end
  for envelope, p in pairs(found.promised) do row.promised[envelope] = {left = number(p[1]), expires = number(p[2])} end
  row.drained, row.at, row.cap_until = number(found.drained), number(found.at), number(found.cap_until)
  if found.cap then row.cap = number(found.cap) end
  return row
end

local function rows_of(counters)
  local keys, rows = {}, {}
  if #counters == 0 then return rows end
  for n, counter in ipairs(counters) do keys[n] = counter.key end
  for n, stored in ipairs(redis.call('HMGET', KEYS[1], unpack(keys))) do rows[n] = row_from(stored) end
  return rows
end

local function told(row)
  local found = {
    used = {}, entries = {}, open = {}, promised = {},
    drained = text(row.drained), at = text(row.at), cap_until = text(row.cap_until), cap = row.cap and text(row.cap),
  }
  for window, cost in pairs(row.used) do found.used[window] = text(cost) end
  for n, e in ipairs(row.entries) do found.entries[n] = {text(e.at), text(e.cost)} end
  for hold, o in pairs(row.open) do
    found.open[hold] = {text(o.cost), text(o.made), text(o.expires), o.window, text(o.drawn)}
  end
  for envelope, p in pairs(row.promised) do found.promised[envelope] = {text(p.left), text(p.expires)} end
  return cjson.encode(found)
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

local function sum(found, what)
  local total = 0
  for _, each in pairs(found) do total = total + each[what] end
  return total
end

local function spent(row, counter)
  local total = 0
  if counter.kind == 'calendar' then
    for window, cost in pairs(row.used) do
      if window >= counter.window then total = total + cost end
    end
    for _, o in pairs(row.open) do
      if o.window < counter.window then total = total + o.cost end
    end
  elseif counter.kind == 'refill' then
    total = row.drained
  else
    total = sum(row.open, 'cost') + sum(row.entries, 'cost')
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

local function ceiling(row, counter, now)
  if not row.cap or row.cap >= counter.ceiling then return counter.ceiling end
  if now >= row.cap_until and spent(row, counter) == 0 then return counter.ceiling end
  return row.cap
end

local function fits(row, counter, needed, now, envelope)
  return needed <= ceiling(row, counter, now) - spent(row, counter) - kept_free(row, envelope) + SLACK
end

local function add(row, window, cost)
  row.used[window] = (row.used[window] or 0) + cost
  local names = {}
  for name in pairs(row.used) do table.insert(names, name) end
  table.sort(names)
  for n = 1, #names - WINDOWS_KEPT do row.used[names[n]] = nil end
end

local function tame(row, counter)
  local wild = {}
  for window in pairs(row.used) do
    if window > counter.next_window then table.insert(wild, window) end
  end
  table.sort(wild)
  for _, window in ipairs(wild) do
    row.used[counter.window] = (row.used[counter.window] or 0) + row.used[window]
    row.used[window] = nil
    for _, o in pairs(row.open) do
      if o.window == window then o.window = counter.window end
    end
  end
end

local function slot(at, span)
  return math.floor(at * SLOTS / span)
end

local function before(a, b)
  return a.at < b.at or (a.at == b.at and a.cost < b.cost)
end

local function enter(row, at, cost, span)
  local last = row.entries[#row.entries]
  if last and at >= last.at and slot(last.at, span) == slot(at, span) then
    last.at, last.cost = at, rounded(last.cost + cost)
  else
    table.insert(row.entries, {at = at, cost = cost})
    table.sort(row.entries, before)
  end
end

local function tick(row, hold, held, counter, now)
  if held.made > now then
    held.expires, held.made = now + held.expires - held.made, now
  elseif counter.kind == 'sliding' and held.made + ARRIVAL_SECONDS <= now - counter.span then
    row.open[hold] = nil
  elseif held.expires <= now then
    row.open[hold] = nil
    if counter.kind == 'sliding' then
      enter(row, held.made + ARRIVAL_SECONDS, held.cost, counter.span)
    elseif counter.kind == 'calendar' and held.window < counter.window and held.expires > counter.begins then
      add(row, counter.window, held.cost)
    elseif counter.kind == 'calendar' and held.window == counter.window and held.expires > counter.ends then
      add(row, counter.next_window, held.cost)
    end
  end
end

local function recent(entries, span, now)
  local kept = {}
  for _, e in ipairs(entries) do
    if e.at > now - span then table.insert(kept, {at = e.at <= now + span and e.at or now, cost = e.cost}) end
  end
  table.sort(kept, before)
  return kept
end

local function refilled(row, counter, now)
  if row.at > now then
    return row.drained, row.at - now <= counter.span and row.at or now
  end
  return math.max(0, row.drained - (now - row.at) * counter.ceiling / counter.span), now
end

local function turn(row, counter, now)
  if counter.kind == 'calendar' then
    tame(row, counter)
  elseif counter.kind == 'sliding' then
    row.entries = recent(row.entries, counter.span, now)
  elseif counter.kind == 'refill' then
    row.drained, row.at = refilled(row, counter, now)
  end
  local names = {}
  for hold in pairs(row.open) do table.insert(names, hold) end
  table.sort(names, function(a, b) return row.open[a].made < row.open[b].made end)
  for _, hold in ipairs(names) do tick(row, hold, row.open[hold], counter, now) end
  for envelope, p in pairs(row.promised) do
    if p.expires <= now then row.promised[envelope] = nil end
  end
end

local function ends(row, counter)
  local found = {}
  for _, e in ipairs(row.entries) do table.insert(found, {e.at + counter.span, e.cost}) end
  for _, o in pairs(row.open) do
    local back = counter.kind == 'concurrent' and o.expires or o.made + ARRIVAL_SECONDS + counter.span
    table.insert(found, {back, o.cost})
  end
  return found
end

local function free_at(row, counter, needed, now, envelope)
  local over = spent(row, counter) + kept_free(row, envelope) + needed - ceiling(row, counter, now)
  if needed > counter.ceiling or counter.kind == 'calendar' then return '' end
  if counter.kind == 'refill' then return text(row.at + over * counter.span / counter.ceiling) end
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

-- The claims in ARGV[1] with their rows brought to `now`, and which of them does not fit, if any.
local function claimed(now, envelope)
  local counters, costs, needed = {}, {}, {}
  for n, found in ipairs(cjson.decode(ARGV[1])) do
    counters[n], costs[n] = counter_from(found), number(found[9])
    needed[n] = costs[n] + number(found[10])
  end
  local rows = rows_of(counters)
  for n, counter in ipairs(counters) do turn(rows[n], counter, now) end
  for n, counter in ipairs(counters) do
    if not fits(rows[n], counter, needed[n], now, envelope) then
      return counters, costs, rows, {n, free_at(rows[n], counter, needed[n], now, envelope)}
    end
  end
  return counters, costs, rows
end
