-- KEYS: the hold's record, then one row per claim.
-- ARGV: hold, claims, now, when the hold expires, milliseconds to keep its record.
-- Answers nothing, or the number of the claim that did not fit and when it would ('' where that is not known).

local function free_at(row, claim)
  local over = spent(row, claim) + claim.cost - claim.ceiling
  if claim.cost > claim.ceiling or claim.kind == 'calendar' then return '' end
  if claim.kind == 'refill' then return text(row.at + over * claim.span / claim.ceiling) end
  local ends = {}
  if claim.kind == 'sliding' then
    for _, e in ipairs(row.entries) do table.insert(ends, {e.at + claim.span, e.cost}) end
  else
    for _, o in pairs(row.open) do table.insert(ends, {o.expires, o.cost}) end
  end
  table.sort(ends, function(a, b) return a[1] < b[1] or (a[1] == b[1] and a[2] < b[2]) end)
  for _, found in ipairs(ends) do
    over = over - found[2]
    if over <= SLACK then return text(found[1]) end
  end
  return ''
end

local function keep_latest(used)
  local names = {}
  for name in pairs(used) do table.insert(names, name) end
  table.sort(names)
  for n = 1, #names - WINDOWS_KEPT do used[names[n]] = nil end
end

local function charge(row, claim, hold, now, expires)
  local window = claim.window
  for name in pairs(row.used) do
    if name > window then window = name end
  end
  if claim.kind == 'sliding' then
    table.insert(row.entries, {at = now, cost = claim.cost, hold = hold})
  elseif claim.kind == 'refill' then
    row.drained = row.drained + claim.cost
  elseif claim.kind == 'calendar' then
    row.used[window] = (row.used[window] or 0) + claim.cost
    keep_latest(row.used)
  end
  row.open[hold] = {cost = claim.cost, expires = expires, window = window}
  return window
end

local hold, found, now, expires = ARGV[1], cjson.decode(ARGV[2]), number(ARGV[3]), number(ARGV[4])
local claims, turned = {}, {}
for n, raw in ipairs(found) do
  claims[n] = claim_from(raw)
  turned[n] = turn(read(KEYS[n + 1]), claims[n], now)
end
for n, claim in ipairs(claims) do
  if not fits(turned[n], claim) then return {n, free_at(turned[n], claim)} end
end
for n, claim in ipairs(claims) do
  found[n].window = charge(turned[n], claim, hold, now, expires)
  write(KEYS[n + 1], turned[n])
end
redis.call('SET', KEYS[1], cjson.encode({at = ARGV[3], claims = found}), 'PX', ARGV[5])
