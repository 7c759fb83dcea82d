-- token, how long a tombstone is kept
if not record or token ~= tonumber(ARGV[1]) then return 0 end
if state == RELEASED then return 1 end
if state ~= IN_PROGRESS then return 0 end
state = RELEASED
if interruptions == 0 then expires_at = math.min(expires_at, now + ARGV[2]) end
