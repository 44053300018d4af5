-- KEYS: the ledger. ARGV: claims, now, hold, costs by counter key, '1' if the call was good, what was told by counter
-- key, envelope. Answers 1, or 0 if there is no such hold or its time is over.

local function settle(row, counter, held, cost, now)
  local since, window = math.max(0, now - held.made), held.window
  if counter.kind == 'refill' then
    local back = math.max(0, held.cost - cost - since * counter.ceiling / counter.span)
    row.drained = math.max(0, row.drained + math.max(0, cost - held.cost) - back)
  elseif counter.kind == 'sliding' then
    enter(row, held.made + math.min(ARRIVAL_SECONDS, since), cost, counter.span)
  elseif row.used[window] then
    row.used[window] = math.max(0, row.used[window] + cost - held.cost)
  end
  if counter.kind == 'calendar' and now >= counter.ends and counter.next_window > window then
    add(row, counter.next_window, cost)
  end
end

local function raise_to(row, counter, taken, now)
  local missing = rounded(taken - spent(row, counter))
  if missing <= 0 then return end
  if counter.kind == 'calendar' then
    add(row, counter.window, missing)
  elseif counter.kind == 'sliding' then
    enter(row, now, missing, counter.span)
  elseif counter.kind == 'refill' then
    row.drained = row.drained + missing
  end
end

local function learn(row, counter, said, proven, now)
  if proven and proven >= row.cap_until then row.cap, row.cap_until = nil, 0 end
  if not said then return end
  local known = row.cap and math.min(counter.ceiling, row.cap) or counter.ceiling
  local limit, remaining = tonumber(said[1]), tonumber(said[2])
  if limit and limit < known then
    row.cap, row.cap_until = limit, counter.ends ~= 0 and counter.ends or now + counter.span
  end
  if remaining then raise_to(row, counter, (limit or known) - remaining, now) end
end

local now, hold, costs, said, envelope = number(ARGV[2]), ARGV[3], cjson.decode(ARGV[4]), cjson.decode(ARGV[6]), ARGV[7]
local counters, rows, settled = {}, {}, {}
for n, found in ipairs(cjson.decode(ARGV[1])) do counters[n] = counter_from(found) end
for n, row in ipairs(rows_of(counters)) do
  local counter = counters[n]
  turn(row, counter, now)
  local held = row.open[hold]
  if held then
    row.open[hold] = nil
    local cost = costs[counter.key] and number(costs[counter.key]) or held.cost
    settle(row, counter, held, cost, now)
    local p = row.promised[envelope]
    if p and held.drawn > cost then p.left = rounded(p.left + held.drawn - cost) end
    learn(row, counter, said[counter.key], ARGV[5] == '1' and held.made or nil, now)
    table.insert(settled, counter)
    table.insert(rows, row)
  end
end
if #settled == 0 then return 0 end
write(settled, rows)
return 1
