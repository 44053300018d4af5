-- KEYS: the ledger. ARGV: counters, now.
-- Answers {used, held, when something comes back or '', a cap that was learnt or ''} for each.

local function frees_at(row, counter)
  local first
  if counter.kind == 'refill' and row.drained ~= 0 then
    local over = math.max(0, math.min(row.drained, row.drained + 1 - counter.ceiling))
    first = row.at + over * counter.span / counter.ceiling
  elseif counter.kind == 'sliding' then
    for _, e in ipairs(row.entries) do
      if e.cost ~= 0 then first = math.min(first or math.huge, e.at + counter.span) end
    end
  elseif counter.kind == 'concurrent' then
    for _, o in pairs(row.open) do first = math.min(first or math.huge, o.expires) end
  end
  return first and text(first) or ''
end

local levels, counters, now = {}, {}, number(ARGV[2])
for n, found in ipairs(cjson.decode(ARGV[1])) do counters[n] = counter_from(found) end
local rows = rows_of(counters)
for n, counter in ipairs(counters) do
  local row = rows[n]
  turn(row, counter, now)
  local total = spent(row, counter)
  local held = math.min(rounded(sum(row.open, 'cost')), total)
  local cap = row.cap and row.cap < counter.ceiling and text(row.cap) or ''
  levels[n] = {text(rounded(total - held)), text(rounded(held + kept_free(row, ''))), frees_at(row, counter), cap}
end
return levels
