-- KEYS: the document. ARGV: old, new ('-' for none, else '+' and the text), milliseconds to keep it or ''.
-- Answers 1, or 0 if the present text is not the old one.

local present = redis.call('GET', KEYS[1])
if (present and '+' .. present or '-') ~= ARGV[1] then return 0 end
if ARGV[2] == '-' or (ARGV[3] ~= '' and tonumber(ARGV[3]) <= 0) then
  redis.call('DEL', KEYS[1])
elseif ARGV[3] == '' then
  redis.call('SET', KEYS[1], string.sub(ARGV[2], 2))
else
  redis.call('SET', KEYS[1], string.sub(ARGV[2], 2), 'PX', ARGV[3])
end
return 1
