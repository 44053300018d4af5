-- changes.py in Lua, after rows.lua. Rows are changed where they are: a script reads its own.

local function add(row, window, cost)
  row.used[window] = (row.used[window] or 0) + cost
  local names = {}
  for name in pairs(row.used) do names[#names + 1] = name end
  if #names > WINDOWS_KEPT then
    table.sort(names)
    for n = 1, #names - WINDOWS_KEPT do row.used[names[n]] = nil end
  end
end

local function slot(at, span)
  return math.floor(at * SLOTS / span)
end

local function enter(row, at, cost, span)
  if cost == 0 then return end
  local times, costs, n = row.times, row.costs, #row.times + 1
  while n > 1 and slot(times[n - 1], span) >= slot(at, span) do n = n - 1 end
  if times[n] and slot(times[n], span) == slot(at, span) then
    times[n], costs[n] = math.max(at, times[n]), rounded(cost + costs[n])
  else
    table.insert(times, n, at)
    table.insert(costs, n, cost)
  end
end

local function rebook(row, hold, cost, ended)
  local window, arrived = hold.window, math.min(ended, hold.made + ARRIVAL_SECONDS)
  if row.used[window] then row.used[window] = math.max(0, row.used[window] - hold.cost) end
  local has_turned = arrived >= hold.turns and hold.next_window > window
  add(row, has_turned and hold.next_window or window, cost)
end

local function lapse(row, counter, hold)
  if counter.kind == 'sliding' then
    enter(row, hold.made + ARRIVAL_SECONDS, hold.cost, counter.span)
  elseif counter.kind == 'calendar' then
    rebook(row, hold, hold.cost, hold.expires)
  end
end

local function forget(row, since)
  if #row.times == 0 or row.times[1] > since then return end
  local times, costs = row.times, row.costs
  row.times, row.costs = {}, {}
  for n, at in ipairs(times) do
    if at > since then
      table.insert(row.times, at)
      table.insert(row.costs, costs[n])
    end
  end
end

local function refilled(row, counter, now)
  if row.at > now then return row.drained, row.at end
  return math.max(0, row.drained - (now - row.at) * limit(row, counter) / counter.span), now
end

local function recent(entries, since)
  if #entries == 0 or entries[1].at > since then return entries end
  local kept = {}
  for _, entry in ipairs(entries) do
    if entry.at > since then table.insert(kept, entry) end
  end
  return kept
end

local function turn(row, counter, now)
  if counter.kind == 'sliding' then
    forget(row, now - counter.span)
  elseif counter.kind == 'refill' then
    row.drained, row.at = refilled(row, counter, now)
  end
  for id, hold in pairs(row.open) do
    local is_back = counter.kind == 'sliding' and hold.made + ARRIVAL_SECONDS <= now - counter.span
    if is_back or hold.expires <= now then
      row.open[id] = nil
      if not is_back then lapse(row, counter, hold) end
    end
  end
  for envelope, promise in pairs(row.promised) do
    if promise.expires <= now then row.promised[envelope] = nil end
  end
end

local function is_wild(lasting, now)
  return lasting.made - now > lasting.expires - lasting.made
end

local function horizon_of(counter, now)
  return counter.ends ~= 0 and counter.ends or now + counter.span
end

local function is_ahead(row, counter, now)
  local horizon = now + counter.span
  if row.at > horizon or row.cap_until > horizon_of(counter, now) then return true end
  if (row.times[#row.times] or 0) > horizon then return true end
  for window in pairs(row.used) do
    if window > counter.next_window then return true end
  end
  for _, hold in pairs(row.open) do
    if is_wild(hold, now) then return true end
  end
  for _, promise in pairs(row.promised) do
    if is_wild(promise, now) then return true end
  end
  return false
end

local function tame(row, counter, now)
  local wild, times, costs, horizon = {}, row.times, row.costs, now + counter.span
  for window in pairs(row.used) do
    if window > counter.next_window then table.insert(wild, window) end
  end
  for _, window in ipairs(wild) do
    local cost = row.used[window]
    row.used[window] = nil
    add(row, counter.window, cost)
  end
  row.times, row.costs = {}, {}
  for n, at in ipairs(times) do enter(row, at <= horizon and at or now, costs[n], counter.span) end
  if row.at > horizon then row.at = now end
  row.cap_until = math.min(row.cap_until, horizon_of(counter, now))
  for _, hold in pairs(row.open) do
    if is_wild(hold, now) then
      if hold.window > counter.next_window then hold.window = counter.window end
      hold.made, hold.expires = now, now + (hold.expires - hold.made)
      hold.next_window, hold.turns = counter.next_window, counter.ends
    end
  end
  for _, promise in pairs(row.promised) do
    if is_wild(promise, now) then promise.made, promise.expires = now, now + (promise.expires - promise.made) end
  end
end

-- The rows as of `now`. What a clock that ran ahead has left on them is mended for good.
local function rows_at(counters, now)
  local rows, wild, mended = rows_of(counters), {}, {}
  for n, counter in ipairs(counters) do
    if is_ahead(rows[n], counter, now) then
      tame(rows[n], counter, now)
      table.insert(wild, counter)
      table.insert(mended, rows[n])
    end
  end
  write(wild, mended)
  for n, counter in ipairs(counters) do turn(rows[n], counter, now) end
  return rows
end

-- The counters of the claims, their rows as of `now`, and which claim does not fit and when it would, if any.
local function claimed(claims, now, envelope)
  local counters = counters_from(claims)
  local rows = rows_at(counters, now)
  for n, claim in ipairs(claims) do
    local needed = claim[9] + claim[10] * limit(rows[n], counters[n])
    if not fits(rows[n], counters[n], needed, now, envelope) then
      return counters, rows, list({text(n), text(free_at(rows[n], counters[n], needed, now, envelope))})
    end
  end
  return counters, rows
end
