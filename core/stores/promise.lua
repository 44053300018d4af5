-- KEYS: the ledger. ARGV: claims, now, envelope, when it expires.
-- Answers nothing, or the number of the claim that did not fit and when it would ('' where that is not known).

local now, envelope, expires = number(ARGV[2]), ARGV[3], number(ARGV[4])
local counters, costs, rows, refused = claimed(now, envelope)
if refused then return refused end
for n, cost in ipairs(costs) do
  rows[n].promised[envelope] = cost > 0 and {left = cost, made = now, expires = expires} or nil
end
write(counters, rows)
