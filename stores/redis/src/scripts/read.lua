-- What each script begins with: the record, if there is one. Then it decides, and either returns or goes on to
-- write.lua with what it has changed. There are no functions, as making them takes longer than all the rest.
local HEAD, SIZE = '>BI8I8I8I8I4I4c16c32', 89
local IN_PROGRESS, DONE, FAILED, INTERRUPTED, RELEASED = 1, 2, 3, 4, 5
local MOST = 4294967295

local key = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

-- If it has a result, that is what follows its head.
local record = redis.call('GET', key)
local state, token, lease_until, expires_at, ttl, attempts, interruptions, owner, fingerprint
local is_running, is_expired, is_interrupted = false, false, false
if record then
  if #record >= SIZE then
    state, token, lease_until, expires_at, ttl, attempts, interruptions, owner, fingerprint =
      struct.unpack(HEAD, record)
  end
  if not state or state < IN_PROGRESS or state > RELEASED then
    return {err = 'CORRUPT a record that cannot be read'}
  end
  is_running = state == IN_PROGRESS and lease_until > now
  is_expired = expires_at <= now and not is_running
  is_interrupted = state == INTERRUPTED or (state == IN_PROGRESS and not is_running)
end

-- From when on half of its time is to be left at least, if so; the result that is written; what is answered then.
local keep_from, result, answer = nil, '', 1
