if keep_from and expires_at < keep_from + ttl / 2 then expires_at = keep_from + ttl end
-- Redis forgets it when it has expired, and not before its token has passed either: after a clock that was set
-- back, tokens are ahead of it, and what is forgotten could be followed by one that is smaller.
local forget_at = math.floor(math.max(expires_at, token) / 1000) + 1
local head = struct.pack(
  HEAD, state, token, lease_until, expires_at, ttl, attempts, interruptions, owner, fingerprint)
redis.call('SET', key, head .. result, 'PXAT', forget_at)
return answer
