import { PRELUDE, type Script } from "./script.js";

/**
 * KEYS: layout, grants, then for each request its permits and the longest window that it was asked with, granted or not. A permit is a
 * member of a sorted set, its score is when it counts as started: while it is open, when it would count as abandoned.
 * ARGV: what to do, the grant or when a permit counts as abandoned, then for each request its limit and its window.
 */
export const LIMITER_SCRIPT: Script = {
  sha: "618946d2641565b7b528d8732021dffe18ecfa6c",
  text: `${PRELUDE}
local op, first = ARGV[1], ARGV[2]
local count = (#KEYS - 2) / 2

if op == 'cancel' then
  for i = 1, count do redis.call('ZREM', KEYS[1 + 2 * i], first .. ':' .. i) end
  return {'done'}
end

local function spanOf(i)
  return math.max(tonumber(ARGV[2 + 2 * i]), tonumber(redis.call('GET', KEYS[2 + 2 * i]) or '0'))
end

local function add(i, score, grant, rest)
  local permits, longest = KEYS[1 + 2 * i], KEYS[2 + 2 * i]
  local span = spanOf(i)
  redis.call('ZADD', permits, text(score), grant .. ':' .. i)
  redis.call('ZREMRANGEBYSCORE', permits, '-inf', text(now - span))
  redis.call('SET', longest, text(span), 'PX', whole(span + rest))
  redis.call('PEXPIRE', permits, whole(span + rest))
end

if op == 'stamp' then
  for i = 1, count do add(i, now, first, 60000) end
  return {'done'}
end

local abandoned = tonumber(first)
local wait = 0
for i = 1, count do
  local permits, limit, span = KEYS[1 + 2 * i], tonumber(ARGV[1 + 2 * i]), tonumber(ARGV[2 + 2 * i])
  local after = '(' .. text(now - span)
  local used = redis.call('ZCOUNT', permits, after, '+inf')
  if used >= limit then
    local leaves = tonumber(redis.call('ZRANGEBYSCORE', permits, after, '+inf', 'WITHSCORES', 'LIMIT', used - limit, 1)[2])
    -- What is open cannot leave before a whole window is over.
    wait = math.max(wait, leaves <= now and leaves + span - now or span)
  end
end
if wait > 0 then
  for i = 1, count do
    local permits, longest = KEYS[1 + 2 * i], KEYS[2 + 2 * i]
    local span = spanOf(i)
    if span > tonumber(redis.call('GET', longest) or '0') then
      redis.call('SET', longest, text(span), 'PX', whole(span + abandoned + 60000))
      redis.call('PEXPIRE', permits, whole(span + abandoned + 60000))
    end
  end
  return {'refused', text(wait)}
end
if not layout then redis.call('SET', KEYS[1], '1') end
-- With the time in it, so that a server that lost its newest writes gives no grant twice.
local grant = redis.call('INCR', KEYS[2]) .. '-' .. text(now)
for i = 1, count do add(i, now + abandoned, grant, abandoned + 60000) end
return {'granted', grant}
`,
};
