import { PRELUDE, type Script } from "./script.js";

/** KEYS: layout, the switch. ARGV: what to do; to set it: whether it is halted, its reason as JSON, the channel, and who says so as JSON. */
export const SWITCH_SCRIPT: Script = {
  sha: "dc70a2eb7caba01639acd54a3a0d0041b3f92182",
  text: `${PRELUDE}
if ARGV[1] == 'read' then
  -- Changes nothing, and is refused by a replica, which may not have heard of a halt yet.
  redis.call('PERSIST', KEYS[2])
  local found = redis.call('HMGET', KEYS[2], 'version', 'halted', 'reason', 'by', 'changed')
  if not found[1] then return {'0', '0', 'null', 'null', ''} end
  return {found[1], found[2] or '', found[3] or 'null', found[4] or 'null', found[5] or ''}
end
if not layout then redis.call('SET', KEYS[1], '1') end
-- With the time in it, so that a server that lost its newest writes gives no version twice.
local version = math.max(tonumber(redis.call('HGET', KEYS[2], 'version') or '0') + 1, math.floor(now * 1000))
redis.call('HSET', KEYS[2], 'version', whole(version), 'halted', ARGV[2], 'reason', ARGV[3],
  'by', ARGV[5], 'changed', text(now))
redis.call('PUBLISH', ARGV[4], whole(version) .. ' ' .. ARGV[2] .. ' ' .. ARGV[3])
return {whole(version), ARGV[2], ARGV[3], ARGV[5], text(now)}
`,
};
