-- KEYS: the ledger. ARGV: counters, now, hold, envelope, costs by counter key, was the call good, what was told by
-- counter key, as one JSON list. Answers 1, or 0 if there is no such hold or its time is over.

local function settle(row, counter, hold, cost, now)
  local since = math.max(0, now - hold.made)
  if counter.kind == 'refill' then
    local back = math.max(0, hold.cost - cost - since * limit(row, counter) / counter.span)
    row.drained = math.max(0, row.drained + math.max(0, cost - hold.cost) - back)
  elseif counter.kind == 'sliding' then
    enter(row, hold.made + math.min(ARRIVAL_SECONDS, since), cost, counter.span)
  elseif counter.kind == 'calendar' then
    rebook(row, hold, cost, now)
  end
end

local function give_back(row, envelope, amount)
  local promise = row.promised[envelope]
  if promise and amount > 0 then promise.left = rounded(promise.left + amount) end
end

local function raise_to(row, counter, taken, now)
  local missing = rounded(math.min(taken, limit(row, counter)) - spent(row, counter))
  if missing <= 0 then return end
  if counter.kind == 'calendar' then
    add(row, counter.window, missing)
  elseif counter.kind == 'sliding' then
    enter(row, now, missing, counter.span)
  elseif counter.kind == 'refill' then
    row.drained = row.drained + missing
  end
end

local function learn(row, counter, hold, told, is_good, now)
  if is_good and hold.made >= row.cap_until then row.cap, row.cap_until = nil, 0 end
  if not told or told.limit == 0 then return end
  local known = limit(row, counter)
  if told.limit and told.limit < known then
    row.cap, row.cap_until = told.limit, hold.turns ~= 0 and hold.turns or now + counter.span
  end
  if told.remaining and hold.window == counter.window then  -- else our clock has stepped since
    raise_to(row, counter, (told.limit or known) - told.remaining, now)
  end
end

local lists, now, id, envelope, costs, is_good, told = unpack(cjson.decode(ARGV[1]))
local counters, settled, changed = counters_from(lists), {}, {}
for n, row in ipairs(rows_of(counters)) do
  local counter = counters[n]
  turn(row, counter, now)
  local hold = row.open[id]
  if hold then
    row.open[id] = nil
    local cost = costs[counter.key] or hold.cost
    settle(row, counter, hold, cost, now)
    give_back(row, envelope, hold.drawn - cost)
    learn(row, counter, hold, told[counter.key], is_good, now)
    table.insert(settled, counter)
    table.insert(changed, row)
  end
end
write(settled, changed)
return #settled > 0 and 1 or 0
