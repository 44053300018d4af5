-- KEYS: the ledger. ARGV: claims, now, when the hold expires, hold, envelope, as one JSON list.
-- Answers nothing, or the number of the claim that did not fit and when it would, as JSON.

local function charge(row, counter, cost, id, now, expires)
  local window = counter.window
  for name in pairs(row.used) do
    if name > window then window = name end
  end
  if counter.kind == 'refill' then
    row.drained = row.drained + cost
  elseif counter.kind == 'calendar' then
    add(row, window, cost)
  end
  row.open[id] = {
    cost = cost, made = now, expires = expires, window = window, next_window = counter.next_window,
    turns = counter.ends, drawn = 0,
  }
end

local function draw(row, envelope, id)
  local promise, hold = row.promised[envelope], row.open[id]
  if not promise then return end
  hold.drawn = math.min(promise.left, hold.cost)
  promise.left = rounded(promise.left - hold.drawn)
end

local claims, now, expires, id, envelope = unpack(cjson.decode(ARGV[1]))
local counters, rows, refused = claimed(claims, now, envelope)
if refused then return refused end
for n, counter in ipairs(counters) do
  charge(rows[n], counter, claims[n][9], id, now, expires)
  draw(rows[n], envelope, id)
end
write(counters, rows)
