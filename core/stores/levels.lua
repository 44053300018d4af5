-- KEYS: the ledger. ARGV: counters, now, as one JSON list.
-- Answers used, held, when something comes back, and a cap that was learnt for each, as JSON.

local function frees_at(row, counter)
  if counter.kind == 'calendar' then return nil end
  if counter.kind == 'refill' then
    local over = math.max(0, math.min(row.drained, row.drained + 1 - limit(row, counter)))
    return row.drained ~= 0 and row.at + over * counter.span / limit(row, counter) or nil
  end
  local first
  for _, back in ipairs(ends(row, counter)) do
    if back[2] ~= 0 and back[1] < (first or math.huge) then first = back[1] end
  end
  return first
end

local lists, now = unpack(cjson.decode(ARGV[1]))
local levels, counters = {}, counters_from(lists)
for n, row in ipairs(rows_at(counters, now)) do
  local counter = counters[n]
  local total, known = spent(row, counter), limit(row, counter)
  local open = math.min(rounded(held(row)), total)
  levels[n] = list({
    text(rounded(total - open)), text(rounded(open + kept_free(row, ''))), text(frees_at(row, counter)),
    text(known < counter.ceiling and known),
  })
end
return list(levels)
