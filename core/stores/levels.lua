-- KEYS: one row per claim. ARGV: claims, now. Answers {used, held, when something comes back or ''} for each.

local function frees_at(row, claim)
  local first
  if claim.kind == 'refill' and row.drained ~= 0 then
    first = row.at + math.max(0, math.min(row.drained, row.drained + 1 - claim.ceiling)) * claim.span / claim.ceiling
  elseif claim.kind == 'sliding' then
    for _, e in ipairs(row.entries) do
      if e.cost ~= 0 then first = math.min(first or math.huge, e.at + claim.span) end
    end
  elseif claim.kind == 'concurrent' then
    for _, o in pairs(row.open) do first = math.min(first or math.huge, o.expires) end
  end
  return first and text(first) or ''
end

local levels, now = {}, number(ARGV[2])
for n, found in ipairs(cjson.decode(ARGV[1])) do
  local claim = claim_from(found)
  local row = turn(read(KEYS[n]), claim, now)
  local total, held = spent(row, claim), 0
  for _, o in pairs(row.open) do
    if o.window >= claim.window then held = held + o.cost end
  end
  held = math.min(rounded(held), total)
  levels[n] = {text(rounded(total - held)), text(held), frees_at(row, claim)}
end
return levels
