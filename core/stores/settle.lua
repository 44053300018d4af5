-- KEYS: the ledger. ARGV: claims, now, hold, costs by counter key, '1' if the call was good, what was told by counter
-- key, envelope. Answers 1, or 0 if there is no such hold or its time is over.

local function settle(row, counter, o, cost, now)
  local since = math.max(0, now - o.made)
  if counter.kind == 'refill' then
    local back = math.max(0, o.cost - cost - since * limit(row, counter) / counter.span)
    row.drained = math.max(0, row.drained + math.max(0, cost - o.cost) - back)
  elseif counter.kind == 'sliding' then
    enter(row, o.made + math.min(ARRIVAL_SECONDS, since), cost, counter.span)
  elseif counter.kind == 'calendar' then
    rebook(row, counter, o, cost, math.min(now, o.made + ARRIVAL_SECONDS))
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
  local most, remaining, known = tonumber(said[1]), tonumber(said[2]), limit(row, counter)
  if most == 0 then return end
  if most and most < known then
    row.cap, row.cap_until = most, counter.ends ~= 0 and counter.ends or now + counter.span
  end
  if remaining then raise_to(row, counter, (most or known) - remaining, now) end
end

local now, hold, costs, said, envelope = number(ARGV[2]), ARGV[3], cjson.decode(ARGV[4]), cjson.decode(ARGV[6]), ARGV[7]
local counters, rows, settled = {}, {}, {}
for n, found in ipairs(cjson.decode(ARGV[1])) do counters[n] = counter_from(found) end
for n, row in ipairs(rows_of(counters)) do
  local counter = counters[n]
  turn(row, counter, now)
  local o = row.open[hold]
  if o then
    row.open[hold] = nil
    local cost = costs[counter.key] and number(costs[counter.key]) or o.cost
    settle(row, counter, o, cost, now)
    local p = row.promised[envelope]
    if p and o.drawn > cost then p.left = rounded(p.left + o.drawn - cost) end
    learn(row, counter, said[counter.key], ARGV[5] == '1' and o.made or nil, now)
    table.insert(settled, counter)
    table.insert(rows, row)
  end
end
write(settled, rows)
return #settled > 0 and 1 or 0
