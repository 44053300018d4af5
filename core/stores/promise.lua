-- KEYS: the ledger. ARGV: claims, now, when the promise expires, envelope, as one JSON list.
-- Answers nothing, or the number of the claim that did not fit and when it would, as JSON.

local claims, now, expires, envelope = unpack(cjson.decode(ARGV[1]))
local counters, rows, refused = claimed(claims, now, envelope)
if refused then return refused end
for n, claim in ipairs(claims) do
  local left = claim[9]
  rows[n].promised[envelope] = left > 0 and {left = left, made = now, expires = expires} or nil
end
write(counters, rows)
