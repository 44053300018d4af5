-- changes.py in Lua; see rows.lua. Rows are changed where they are: a script reads its own.

local function slot(at, span)
  return math.floor(at * SLOTS / span)
end

local function enter(row, at, cost, span)
  if cost == 0 then return end
  local n = 1
  while row.entries[n] and slot(row.entries[n].at, span) < slot(at, span) do n = n + 1 end
  local there = row.entries[n]
  if there and slot(there.at, span) == slot(at, span) then
    there.at, there.cost = math.max(at, there.at), rounded(there.cost + cost)
  else
    table.insert(row.entries, n, {at = at, cost = cost})
  end
end

local function add(row, window, cost)
  row.used[window] = (row.used[window] or 0) + cost
  local names = {}
  for name in pairs(row.used) do table.insert(names, name) end
  table.sort(names)
  for n = 1, #names - WINDOWS_KEPT do row.used[names[n]] = nil end
end

local function is_wild(found, now)
  return found.made - now > found.expires - found.made
end

local function mend(all, now)
  local any = false
  for _, found in pairs(all) do
    if is_wild(found, now) then
      found.made, found.expires, any = now, now + (found.expires - found.made), true
    end
  end
  return any
end

-- Mends what a clock that ran far ahead has left on the row; tells whether there was anything.
local function tame(row, counter, now)
  local any, wild, late = false, {}, {}
  if counter.kind == 'calendar' then
    for window in pairs(row.used) do
      if window > counter.next_window then table.insert(wild, window) end
    end
    table.sort(wild)
    for _, window in ipairs(wild) do
      local cost = row.used[window]
      row.used[window] = nil
      add(row, counter.window, cost)
    end
    any = #wild > 0
    for _, o in pairs(row.open) do
      if any and o.window > counter.next_window then o.window = counter.window end
    end
  elseif counter.kind == 'sliding' then
    while #row.entries > 0 and row.entries[#row.entries].at > now + counter.span do
      table.insert(late, 1, table.remove(row.entries))
    end
    for _, e in ipairs(late) do enter(row, now, e.cost, counter.span) end
    any = #late > 0
  elseif counter.kind == 'refill' and row.at > now + counter.span then
    row.at, any = now, true
  end
  local held_wild, promised_wild = mend(row.open, now), mend(row.promised, now)
  return any or held_wild or promised_wild
end

local function rebook(row, counter, o, cost, till)
  local begun = till >= counter.ends and counter.next_window or till >= counter.begins and counter.window or ''
  if row.used[o.window] then row.used[o.window] = math.max(0, row.used[o.window] - o.cost) end
  add(row, begun > o.window and begun or o.window, cost)
end

local function lapse(row, counter, o)
  if counter.kind == 'sliding' then
    enter(row, o.made + ARRIVAL_SECONDS, o.cost, counter.span)
  elseif counter.kind == 'calendar' then
    rebook(row, counter, o, o.cost, math.min(o.expires, o.made + ARRIVAL_SECONDS))
  end
end

local function refilled(row, counter, now)
  if row.at > now then return row.drained, row.at end
  return math.max(0, row.drained - (now - row.at) * limit(row, counter) / counter.span), now
end

local function turn(row, counter, now)
  if counter.kind == 'sliding' then
    while #row.entries > 0 and row.entries[1].at <= now - counter.span do table.remove(row.entries, 1) end
  elseif counter.kind == 'refill' then
    row.drained, row.at = refilled(row, counter, now)
  end
  local over = {}
  for hold, o in pairs(row.open) do
    local is_back = counter.kind == 'sliding' and o.made + ARRIVAL_SECONDS <= now - counter.span
    if is_back then
      row.open[hold] = nil
    elseif o.expires <= now then
      row.open[hold] = nil
      table.insert(over, o)
    end
  end
  table.sort(over, function(a, b) return a.made < b.made end)
  for _, o in ipairs(over) do lapse(row, counter, o) end
  for envelope, p in pairs(row.promised) do
    if p.expires <= now then row.promised[envelope] = nil end
  end
end

-- The claims in ARGV[1] with their rows brought to `now`, and which of them does not fit, if any.
local function claimed(now, envelope)
  local counters, costs, needed, mended = {}, {}, {}, {}
  for n, found in ipairs(cjson.decode(ARGV[1])) do
    counters[n], costs[n] = counter_from(found), number(found[9])
    needed[n] = costs[n] + number(found[10])
  end
  local rows = rows_of(counters)
  for n, counter in ipairs(counters) do
    if tame(rows[n], counter, now) then mended[n] = told(rows[n]) end
    turn(rows[n], counter, now)
  end
  for n, counter in ipairs(counters) do
    if not fits(rows[n], counter, needed[n], now, envelope) then
      for m, row in pairs(mended) do redis.call('HSET', KEYS[1], counters[m].key, row) end
      return counters, costs, rows, {n, free_at(rows[n], counter, needed[n], now, envelope)}
    end
  end
  return counters, costs, rows
end
