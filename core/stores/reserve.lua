-- KEYS: the ledger. ARGV: claims, now, hold, when it expires, envelope.
-- Answers nothing, or the number of the claim that did not fit and when it would ('' where that is not known).

local function charge(row, counter, cost, hold, now, expires)
  local window = counter.window
  for name in pairs(row.used) do
    if name > window then window = name end
  end
  if counter.kind == 'refill' then
    row.drained = row.drained + cost
  elseif counter.kind == 'calendar' then
    add(row, window, cost)
  end
  row.open[hold] = {cost = cost, made = now, expires = expires, window = window, drawn = 0}
end

local function draw(row, envelope, hold)
  local p, held = row.promised[envelope], row.open[hold]
  if not p then return end
  held.drawn = math.min(p.left, held.cost)
  p.left = rounded(p.left - held.drawn)
end

local now, hold, expires, envelope = number(ARGV[2]), ARGV[3], number(ARGV[4]), ARGV[5]
local counters, costs, rows, refused = claimed(now, envelope)
if refused then return refused end
for n, counter in ipairs(counters) do
  charge(rows[n], counter, costs[n], hold, now, expires)
  draw(rows[n], envelope, hold)
end
write(counters, rows)
