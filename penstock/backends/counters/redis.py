"""Places counted in Redis, for all processes: one script a place, which nothing else comes between.

The clock is Redis's own, so that the clocks of the processes do not matter. While Redis is away, what is done is the
setting ``limits_without_redis``.
"""

from penstock.backends.counters.memory import TICKS, MemoryCounters
from penstock.backends.redis_link import RedisAway, RedisLink, RedisRefused, Script
from penstock.core.logs import log
from penstock.core.telemetry import Telemetry
from penstock.ports.counters import Counters, RateLimit, Taken

_LONGEST = 10 * 365 * 24 * 3600 * 1000  # milliseconds that Redis is told to keep a count; it refuses much longer ones

# KEYS: the count, as "start of its window:places". ARGV: limit, interval in milliseconds, the longest expiry, places.
# Returns whether places are given, places taken, milliseconds until one is free.
# What is counted belongs to its window by the start kept with it, not by expiry: a key outlives that by up to a
# millisecond. Where the clock was set back over a border, the window that had begun goes on.
FIXED = Script("""
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local span = tonumber(ARGV[2])
local begun = now - now % span
local used = 0
local at, places = string.match(redis.call('GET', KEYS[1]) or '', '^(%d+):(%d+)$')
if at and tonumber(at) >= begun and tonumber(at) <= begun + span then
  begun, used = tonumber(at), tonumber(places)
end
local left = begun + span - now
if used >= tonumber(ARGV[1]) then return {0, string.format('%.0f', used), string.format('%.0f', left)} end
used = used + tonumber(ARGV[4])
if tonumber(ARGV[4]) == 0 then return {1, string.format('%.0f', used), '0'} end
local lives = string.format('%.0f', math.min(left + 1, tonumber(ARGV[3])))
redis.call('SET', KEYS[1], string.format('%.0f:%.0f', begun, used), 'PX', lives)
return {1, string.format('%.0f', used), '0'}
""")

# KEYS: a list of runs, each "tick:places", and their sum. ARGV: limit, milliseconds of a tick, ticks of an interval,
# the longest expiry, places. As counters.memory.Sliding does it; returns as above. A Redis that is full may drop one of
# the two keys and leave the other, which then says nothing.
SLIDING = Script("""
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local limit, tick, span = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local at = math.floor(now / tick)
local used = tonumber(redis.call('GET', KEYS[2]) or '0')
local function parts(run)
  local mark = string.find(run, ':', 1, true)
  return tonumber(string.sub(run, 1, mark - 1)), tonumber(string.sub(run, mark + 1))
end
local last = redis.call('LINDEX', KEYS[1], -1)
if last and used < 1 then
  redis.call('DEL', KEYS[1])
  last = false
end
if not last then used = 0 end
local last_at, last_count
if last then
  last_at, last_count = parts(last)
  if last_at > at + span then
    redis.call('DEL', KEYS[1], KEYS[2])
    last, used = false, 0
  elseif last_at > at then
    at = last_at
  end
end
while true do
  local first = redis.call('LINDEX', KEYS[1], 0)
  if not first then break end
  local begun, count = parts(first)
  if begun + span >= at then break end
  redis.call('LPOP', KEYS[1])
  used = used - count
end
if used >= limit then
  local over, index, free = used - limit, 0, 0
  while true do
    local run = redis.call('LINDEX', KEYS[1], index)
    if not run then break end
    local begun, count = parts(run)
    over, index, free = over - count, index + 1, (begun + span + 1) * tick
    if over < 0 then break end
  end
  redis.call('SET', KEYS[2], string.format('%.0f', used), 'KEEPTTL')
  return {0, string.format('%.0f', used), string.format('%.0f', math.max(1, math.ceil(free - now)))}
end
local amount = tonumber(ARGV[5])
if amount == 0 then
  if last then redis.call('SET', KEYS[2], string.format('%.0f', used), 'KEEPTTL') end
  return {1, string.format('%.0f', used), '0'}
end
if last and last_at == at then
  redis.call('LSET', KEYS[1], -1, string.format('%.0f:%.0f', at, last_count + amount))
else
  redis.call('RPUSH', KEYS[1], string.format('%.0f:%.0f', at, amount))
end
used = used + amount
local lives = string.format('%.0f', math.min(math.ceil((span + 2) * tick), tonumber(ARGV[4])))
redis.call('SET', KEYS[2], string.format('%.0f', used), 'PX', lives)
redis.call('PEXPIRE', KEYS[1], lives)
return {1, string.format('%.0f', used), '0'}
""")


class RedisCounters(Counters):
    """``policy`` as in the setting ``limits_without_redis``."""

    def __init__(self, link: RedisLink, policy: str, telemetry: Telemetry) -> None:
        self._link = link
        self._policy = policy
        self._count = telemetry.limits_alone
        self._own = MemoryCounters(by="count")
        self._said = False  # that Redis refuses

    async def take(self, owner: int | str, limit: RateLimit, amount: int = 1) -> Taken:
        try:
            given, used, wait = await (self._fixed if limit.technique == "fixed" else self._sliding)(
                owner, limit, amount
            )
        except RedisAway:
            return await self._without(owner, limit, amount)
        except RedisRefused as error:
            if not self._said:
                log.error("Redis refuses to count: limits do without it: %s", error.message)
            self._said = True
            return await self._without(owner, limit, amount)
        self._said = False
        return Taken(bool(given), int(used), int(wait) / 1000, "redis")

    async def _fixed(self, owner: int | str, limit: RateLimit, amount: int) -> tuple[int, bytes, bytes]:
        name = f"{self._link.prefix}limit:{{{owner}}}:fixed:{limit.interval}"
        return await self._link.run(FIXED, [name], limit.limit, limit.interval * 1000, _LONGEST, amount)

    async def _sliding(self, owner: int | str, limit: RateLimit, amount: int) -> tuple[int, bytes, bytes]:
        name = f"{self._link.prefix}limit:{{{owner}}}:sliding:{limit.interval}"
        tick = max(1.0, limit.interval * 1000 / TICKS)
        span = round(limit.interval * 1000 / tick)
        return await self._link.run(SLIDING, [name, f"{name}:sum"], limit.limit, repr(tick), span, _LONGEST, amount)

    async def _without(self, owner: int | str, limit: RateLimit, amount: int) -> Taken:
        self._count.add((self._policy,))
        if self._policy == "count":
            return await self._own.take(owner, limit, amount)
        return Taken(self._policy == "allow", 0, 1.0, self._policy)
