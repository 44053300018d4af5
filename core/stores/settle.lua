-- KEYS: the hold's record. ARGV: hold, costs by counter key, now, what the keys of rows begin with.
-- Which rows there are only the record says, so they cannot be named beforehand. Answers 1, or 0 if there is no record.

local function settle(row, hold, held, cost, since)
  local is_open = row.open[hold]
  local window = is_open and is_open.window or held.window
  row.open[hold] = nil
  if held.kind == 'refill' then
    local back = math.max(0, held.cost - cost - since * held.ceiling / held.span)
    row.drained = math.max(0, row.drained + math.max(0, cost - held.cost) - back)
  elseif row.used[window] then
    row.used[window] = math.max(0, row.used[window] + cost - held.cost)
  end
  for _, e in ipairs(row.entries) do
    if e.hold == hold then e.cost = cost end
  end
end

local hold, costs, now = ARGV[1], cjson.decode(ARGV[2]), number(ARGV[3])
local stored = redis.call('GET', KEYS[1])
if not stored then return 0 end
local record = cjson.decode(stored)
local since = math.max(0, now - number(record.at))
local settled = {}
for n, found in ipairs(record.claims) do
  local held = claim_from(found)
  local row = read(ARGV[4] .. held.key)
  if held.kind == 'refill' then row = turn(row, held, now) end
  settle(row, hold, held, costs[held.key] and number(costs[held.key]) or held.cost, since)
  settled[n] = {key = ARGV[4] .. held.key, row = row}
end
for _, found in ipairs(settled) do write(found.key, found.row) end
redis.call('DEL', KEYS[1])
return 1
