-- token, lease
if not record or state ~= IN_PROGRESS or token ~= tonumber(ARGV[1]) then return 0 end
lease_until = now + ARGV[2]
keep_from = lease_until
