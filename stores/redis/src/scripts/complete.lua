-- token, what it is now, result
if not record or token ~= tonumber(ARGV[1]) then return 0 end
if state == DONE or state == FAILED then return 1 end
if state ~= IN_PROGRESS then return 0 end
state, result, keep_from = tonumber(ARGV[2]), ARGV[3], now
