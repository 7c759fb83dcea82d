-- what it is now, result
if not is_interrupted or is_expired then return 0 end
state, token, result = tonumber(ARGV[1]), math.max(now, token + 1), ARGV[2]
if state == RELEASED then interruptions = 0 end
