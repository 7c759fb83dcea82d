-- owner, fingerprint, lease, ttl, most interruptions
local is_taken, took_over = true, false
if not record then
  token, attempts, interruptions = now, 0, 0
elseif is_expired then
  token, attempts, interruptions = math.max(now, token + 1), 0, 0
elseif owner == ARGV[1] and (state == INTERRUPTED or state == RELEASED) then
  return {'in progress', 0}
elseif owner == ARGV[1] and state == IN_PROGRESS then
  is_taken, took_over = false, interruptions > 0
elseif state == RELEASED then
  token = math.max(now, token + 1)
else
  if fingerprint ~= ARGV[2] then
    local unknown = string.rep('\255', 32)
    if fingerprint ~= unknown and ARGV[2] ~= unknown then return {'mismatch'} end
  end
  if state == DONE then return {'done', string.sub(record, SIZE + 1)} end
  if state == FAILED then return {'failed', string.sub(record, SIZE + 1)} end
  if is_running then return {'in progress', lease_until - now} end
  if state == IN_PROGRESS then interruptions = math.min(interruptions + 1, MOST) end
  if interruptions >= tonumber(ARGV[5]) then return {'interrupted', attempts, interruptions} end
  token, took_over = math.max(now, token + 1), true
end

if is_taken then
  if not MAY_TAKE then return {'full'} end
  state, owner, fingerprint, ttl = IN_PROGRESS, ARGV[1], ARGV[2], tonumber(ARGV[4])
  attempts, lease_until, expires_at = math.min(attempts + 1, MOST), now + ARGV[3], now + ttl
else
  lease_until = math.max(lease_until, now + ARGV[3])
end
keep_from = lease_until
-- Of a first attempt, there is no more to be said.
answer = token
if attempts > 1 then answer = {'acquired', token, attempts, interruptions, took_over and 1 or 0} end
