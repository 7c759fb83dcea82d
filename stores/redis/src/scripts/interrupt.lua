-- token, 1 if it ran
if not record or token ~= tonumber(ARGV[1]) then return 0 end
if state == INTERRUPTED then return 1 end
if state ~= IN_PROGRESS then return 0 end
state, interruptions = INTERRUPTED, math.min(interruptions + ARGV[2], MOST)
