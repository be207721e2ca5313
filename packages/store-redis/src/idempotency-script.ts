import { PRELUDE, type Script } from "./script.js";

/**
 * KEYS: layout, the newest token, the record, all keys in order, those that run out by when they do. ARGV: what to do,
 * the key, and what that needs. Only `list` looks at other keys than the one that it names.
 */
export const IDEMPOTENCY_SCRIPT: Script = {
  sha: "552d6ad84fd532cb12167ab9c96ebbbddcf32a6e",
  text: `${PRELUDE}
local op, key = ARGV[1], ARGV[2]
local tokens, record, all, ending = KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local NEVER = 9000000000000000

if op == 'list' then
  return redis.call('ZRANGEBYLEX', all, key == '' and '-' or '(' .. key, '+', 'LIMIT', 0, ARGV[3])
end

local found = redis.call('HMGET', record, 'state', 'fingerprint', 'token', 'until', 'updated', 'value', 'omitted',
  'claimed', 'started', 'resolved')
local state, fingerprint, token, ends, updated = found[1], found[2], found[3], tonumber(found[4] or '0'), found[5]
-- What has run out is gone, or in doubt.
if state and ends <= now then
  if state == 'in_progress' then
    state = 'unknown'
    updated = found[4]
  elseif state ~= 'unknown' then
    state = false
  end
end

local function forget()
  redis.call('DEL', record)
  redis.call('ZREM', all, key)
  redis.call('ZREM', ending, key)
end

-- A record that is not needed for ever is also forgotten by the server, a minute later.
local function keep(next, untilMs, ...)
  redis.call('HSET', record, 'state', next, 'until', text(untilMs), ...)
  if untilMs < NEVER and next ~= 'in_progress' then
    redis.call('ZADD', ending, text(untilMs), key)
    redis.call('PEXPIRE', record, whole(untilMs - now + 60000))
  else
    redis.call('ZREM', ending, key)
    redis.call('PERSIST', record)
  end
end

local function complete(untilMs, hasValue, value, omitted)
  -- First, since a server without memory takes the rest of a script that has begun to write: a completion is kept.
  redis.call('HDEL', record, 'value')
  keep('completed', math.min(untilMs, NEVER), 'omitted', omitted, 'updated', text(now))
  if hasValue == '1' then redis.call('HSET', record, 'value', value) end
end

if op == 'show' then
  if not state then
    if redis.call('EXISTS', record) == 0 then forget() end
    return {}
  end
  return {state, fingerprint, token, updated, found[8], found[9] or ''}
end

if op == 'claim' then
  if state and fingerprint ~= ARGV[3] then return {'conflict'} end
  if state == 'completed' then return {state, found[6] and '1' or '0', found[6] or '', found[7] or '0'} end
  if state == 'unknown' and ARGV[5] == '0' then return {state} end
  if state and state ~= 'unknown' then return {'in_progress', text(ends)} end
  if not layout then redis.call('SET', KEYS[1], '1') end
  for _, gone in ipairs(redis.call('ZRANGEBYSCORE', ending, '-inf', text(now), 'LIMIT', 0, 10)) do
    redis.call('ZREM', ending, gone)
    redis.call('ZREM', all, gone)
  end
  -- With the time in it, so that a server that lost its newest writes gives no token twice.
  local newest = whole(math.max(tonumber(redis.call('GET', tokens) or '0') + 1, math.floor(now * 1000)))
  redis.call('SET', tokens, newest)
  redis.call('DEL', record)
  redis.call('ZADD', all, 0, key)
  if state == 'unknown' then
    -- What was in doubt stays so until it is written: the new claim counts as started.
    keep('in_progress', now + ARGV[4], 'fingerprint', ARGV[3], 'token', newest, 'claimed', text(now),
      'started', found[9] or text(now), 'updated', text(now))
  else
    keep('claimed', now + ARGV[4], 'fingerprint', ARGV[3], 'token', newest, 'claimed', text(now), 'updated', text(now))
  end
  return {'claimed', newest}
end

if op == 'resolve' then
  if state ~= 'unknown' then return {} end
  if ARGV[3] == 'applied' then
    complete(NEVER, '0', '', '0')
    redis.call('HSET', record, 'resolved', '1')
  else
    forget()
  end
  return {'done'}
end

-- Only the newest claim may write (S7.3).
if not state or token ~= ARGV[3] then return {} end
if state == 'completed' then
  -- A client may send a write twice when a connection breaks. Of another value, or after an operator's word, nothing is kept.
  local same = (found[6] or '') == ARGV[6] and (found[6] and '1' or '0') == ARGV[5] and found[7] == ARGV[7]
  return op == 'complete' and same and not found[10] and {'done'} or {}
end
local running = state == 'claimed' or state == 'in_progress'
if op == 'start' then
  if not running then return {} end
  keep('in_progress', ends, 'started', found[9] or text(now), 'updated', text(now))
elseif op == 'renew' then
  if not running then return {} end
  keep(state, now + ARGV[4])
elseif op == 'complete' then
  complete(now + ARGV[4], ARGV[5], ARGV[6], ARGV[7])
elseif op == 'release' then
  forget()
elseif op == 'mark_unknown' then
  keep('unknown', NEVER, 'updated', text(now))
end
return {'done'}
`,
};
