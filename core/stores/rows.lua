-- rows.py in Lua, for scripts that run inside Redis. The two agree step by step; tests/test_redis.py holds them to it.
-- Numbers are stored as text of 17 digits: cjson writes 14, too few for a time. Windows are compared as text; those of
-- one counter have one format and length, so every collation orders them alike.

local WINDOWS_KEPT, SLACK = 3, 1e-9

local function number(found)
  return tonumber(found) or error('a number is garbled')
end

local function text(found)
  return string.format('%.17g', found)
end

local function rounded(found)
  return tonumber(string.format('%.6f', found))
end

local function claim_from(found)
  return {
    key = found.key, kind = found.kind, window = found.window, next_window = found.next_window,
    ceiling = number(found.ceiling), cost = number(found.cost), span = number(found.span),
  }
end

local function read(key)
  local row = {used = {}, entries = {}, drained = 0, at = 0, open = {}}
  local stored = redis.call('GET', key)
  if not stored then return row end
  local found = cjson.decode(stored)
  for window, cost in pairs(found.used) do row.used[window] = number(cost) end
  for n, e in ipairs(found.entries) do row.entries[n] = {at = number(e[1]), cost = number(e[2]), hold = e[3]} end
  for hold, o in pairs(found.open) do
    row.open[hold] = {cost = number(o[1]), expires = number(o[2]), window = o[3]}
  end
  row.drained, row.at = number(found.drained), number(found.at)
  return row
end

local function write(key, row)
  local found = {used = {}, entries = {}, open = {}, drained = text(row.drained), at = text(row.at)}
  for window, cost in pairs(row.used) do found.used[window] = text(cost) end
  for n, e in ipairs(row.entries) do found.entries[n] = {text(e.at), text(e.cost), e.hold} end
  for hold, o in pairs(row.open) do found.open[hold] = {text(o.cost), text(o.expires), o.window} end
  redis.call('SET', key, cjson.encode(found))
end

local function refilled(row, claim, now)
  if row.at > now then
    return row.drained, row.at - now <= claim.span and row.at or now
  end
  return math.max(0, row.drained - (now - row.at) * claim.ceiling / claim.span), now
end

local function turn(row, claim, now)
  local turned = {used = {}, entries = {}, drained = 0, at = 0, open = {}}
  local live, tamed = {}, {}
  for _, e in ipairs(row.entries) do
    if e.at > now - claim.span then
      table.insert(turned.entries, e)
      live[e.hold] = true
    end
  end
  for window, cost in pairs(row.used) do
    local to = window
    if window > claim.next_window and window > claim.window then to = claim.window end
    tamed[window] = to
    turned.used[to] = (turned.used[to] or 0) + cost
  end
  for hold, o in pairs(row.open) do
    if o.expires > now and (claim.kind ~= 'sliding' or live[hold]) then
      turned.open[hold] = {cost = o.cost, expires = o.expires, window = tamed[o.window] or o.window}
    end
  end
  if claim.kind == 'refill' then turned.drained, turned.at = refilled(row, claim, now) end
  return turned
end

local function spent(row, claim)
  local total = 0
  if claim.kind == 'calendar' then
    for window, cost in pairs(row.used) do
      if window >= claim.window then total = total + cost end
    end
  elseif claim.kind == 'sliding' then
    for _, e in ipairs(row.entries) do total = total + e.cost end
  elseif claim.kind == 'refill' then
    total = row.drained
  else
    for _, o in pairs(row.open) do total = total + o.cost end
  end
  return rounded(total)
end

local function fits(row, claim)
  return spent(row, claim) + claim.cost <= claim.ceiling + SLACK
end
