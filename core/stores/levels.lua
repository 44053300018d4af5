-- KEYS: the ledger. ARGV: counters, now.
-- Answers {used, held, when something comes back or '', a cap that was learnt or ''} for each.

local function frees_at(row, counter)
  local first
  if counter.kind == 'refill' and row.drained ~= 0 then
    local over = math.max(0, math.min(row.drained, row.drained + 1 - limit(row, counter)))
    first = row.at + over * counter.span / limit(row, counter)
  elseif counter.kind == 'sliding' or counter.kind == 'concurrent' then
    for _, back in ipairs(ends(row, counter)) do
      if back[2] ~= 0 then first = math.min(first or math.huge, back[1]) end
    end
  end
  return first and text(first) or ''
end

local levels, counters, now = {}, {}, number(ARGV[2])
for n, found in ipairs(cjson.decode(ARGV[1])) do counters[n] = counter_from(found) end
local rows = rows_of(counters)
for n, counter in ipairs(counters) do
  local row = rows[n]
  if tame(row, counter, now) then redis.call('HSET', KEYS[1], counter.key, told(row)) end
  turn(row, counter, now)
  local total, most = spent(row, counter), limit(row, counter)
  local under_way = math.min(rounded(held(row)), total)
  local cap = most < counter.ceiling and text(most) or ''
  levels[n] = {text(rounded(total - under_way)), text(rounded(under_way + kept_free(row, ''))), frees_at(row, counter), cap}
end
return levels
