"""What Redis does with money in one step. See ``backends.reservations.redis`` for what is kept.

A budget has two keys. A hash: ``epoch`` in which it was written; ``spent`` since the bucket ``oldest`` of the window
``window``; ``reserved``; and an amount under the start of each bucket. A sorted set: what is outstanding, each as
"amount:bucket:reservation", by the deadline. What was outstanding beyond that counts as spent, and stays for a while
with a "-" before it, so that a late settlement corrects it.

What was written in another epoch counts no more.
"""

from penstock.backends.redis_link import Script

_COMMON = """
local function text(number) return string.format('%.0f', number) end
local function fresh(hash, open, epoch)
  if redis.call('HGET', hash, 'epoch') == epoch then return end
  redis.call('DEL', hash, open)
  redis.call('HSET', hash, 'epoch', epoch)
  redis.call('PEXPIRE', hash, 1000)
end
local function lives(hash, millis)
  local left = redis.call('PTTL', hash)
  if millis == '0' then
    redis.call('PERSIST', hash)
  elseif left >= 0 and left < tonumber(millis) then
    redis.call('PEXPIRE', hash, millis)
  end
end
local function hold(hash, open, amount, start, name, deadline, now, remembered)
  local member = amount .. ':' .. start .. ':' .. name
  if redis.call('ZSCORE', open, '-' .. member) then return end
  if redis.call('ZADD', open, 'NX', deadline, member) == 0 then return end
  redis.call('HINCRBY', hash, 'reserved', amount)
  redis.call('PEXPIRE', open, text(math.max(1000, deadline - now + remembered)))
end
local function add(hash, start, amount)
  redis.call('HINCRBY', hash, start, amount)
  if tonumber(start) >= tonumber(redis.call('HGET', hash, 'oldest') or '0') then
    redis.call('HINCRBY', hash, 'spent', amount)
  end
end
"""

# KEYS: the state of all; for each claim its budget's two. ARGV: epoch; "reserve", "hold" (whatever the limit) or
# "look"; the reservation; now; deadline; milliseconds for which late ones are remembered; for each claim its limit,
# amount, bucket, oldest bucket, window, and milliseconds for which it matters (0: for ever).
# Returns {1, spent, reserved, ...}; {0, place of the claim, spent, reserved, buckets ...}; {-1}: another epoch.
# The oldest bucket never goes back within a window, so that a process whose clock is behind brings nothing back.
RESERVE = Script(
    _COMMON
    + """
local epoch, mode, name, now, deadline, remembered = unpack(ARGV, 1, 6)
if redis.call('HGET', KEYS[1], 'epoch') ~= epoch then return {-1} end
local function held(hash, open, oldest, window)
  fresh(hash, open, epoch)
  local late = redis.call('ZRANGEBYSCORE', open, '-inf', now, 'LIMIT', 0, 100)
  for _, member in ipairs(late) do
    redis.call('ZREM', open, member)
    local amount, start = string.match(member, '^(%d+):(%d+):')
    if amount then
      add(hash, start, amount)
      redis.call('HINCRBY', hash, 'reserved', '-' .. amount)
      redis.call('ZADD', open, text(tonumber(now) + tonumber(remembered)), '-' .. member)
    end
  end
  local known = redis.call('HMGET', hash, 'oldest', 'window', 'spent', 'reserved')
  local spent = tonumber(known[3] or '0')
  if known[2] ~= window or tonumber(known[1]) < tonumber(oldest) then
    spent = 0
    local all = redis.call('HGETALL', hash)
    for at = 1, #all, 2 do
      local start = tonumber(all[at])
      if start and start < tonumber(oldest) then
        redis.call('HDEL', hash, all[at])
      elseif start then
        spent = spent + tonumber(all[at + 1])
      end
    end
    redis.call('HSET', hash, 'oldest', oldest, 'window', window, 'spent', text(spent))
  end
  return spent, tonumber(known[4] or '0')
end
local answer = {1}
for at = 1, (#KEYS - 1) / 2 do
  local hash, open = KEYS[2 * at], KEYS[2 * at + 1]
  local limit, amount, start, oldest, window, millis = unpack(ARGV, 6 * at + 1, 6 * at + 6)
  local spent, reserved = held(hash, open, oldest, window)
  if mode == 'reserve' and tonumber(limit) - spent - reserved < math.max(1, tonumber(amount)) then
    local refused = {0, at - 1, text(spent), text(reserved)}
    for _, part in ipairs(redis.call('HGETALL', hash)) do table.insert(refused, part) end
    return refused
  end
  table.insert(answer, text(spent))
  table.insert(answer, text(reserved))
end
for at = 1, (#KEYS - 1) / 2 do
  local hash, open = KEYS[2 * at], KEYS[2 * at + 1]
  local limit, amount, start, oldest, window, millis = unpack(ARGV, 6 * at + 1, 6 * at + 6)
  if mode ~= 'look' and amount ~= '0' then
    hold(hash, open, amount, start, name, deadline, now, remembered)
    lives(hash, millis)
  end
end
return answer
"""
)

# KEYS: the state of all; two for each part. ARGV: epoch; the sender; and for each part the number of its settlement,
# what was outstanding (or nothing), the bucket, the amount, milliseconds for which it matters, and 1 if the seeds may
# have it: then it counts only where it is outstanding. A sender numbers its settlements, so that each counts once,
# however often it is told. Returns 1; -1: another epoch.
SETTLE = Script(
    _COMMON
    + """
local epoch, sender = ARGV[1], 'applied:' .. ARGV[2]
if redis.call('HGET', KEYS[1], 'epoch') ~= epoch then return -1 end
local applied = tonumber(redis.call('HGET', KEYS[1], sender) or '-1')
for at = 1, (#KEYS - 1) / 2 do
  local hash, open = KEYS[2 * at], KEYS[2 * at + 1]
  local number, member, start, amount, millis, seeded = unpack(ARGV, 6 * at - 3, 6 * at + 2)
  if tonumber(number) > applied then
    fresh(hash, open, epoch)
    local reserved, bucket = string.match(member, '^(%d+):(%d+):')
    if reserved and redis.call('ZREM', open, member) == 1 then
      redis.call('HINCRBY', hash, 'reserved', '-' .. reserved)
      seeded = '0'
    elseif reserved and redis.call('ZREM', open, '-' .. member) == 1 and redis.call('HEXISTS', hash, bucket) == 1 then
      add(hash, bucket, '-' .. reserved)
      seeded = '0'
    end
    if seeded == '0' and amount ~= '0' then
      add(hash, start, amount)
      lives(hash, millis)
    end
    redis.call('HSET', KEYS[1], sender, number)
  end
end
return 1
"""
)

# KEYS: the lock; two for each row. ARGV: epoch; milliseconds for which late ones are remembered; now; for each row its
# bucket, amount, milliseconds for which it matters, and of what is outstanding the deadline and the reservation (else
# nothing). Returns 1; -1: the lock is lost.
SEED = Script(
    _COMMON
    + """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
for at = 1, (#KEYS - 1) / 2 do
  local hash, open = KEYS[2 * at], KEYS[2 * at + 1]
  local start, amount, millis, deadline, name = unpack(ARGV, 5 * at - 1, 5 * at + 3)
  fresh(hash, open, ARGV[1])
  if deadline == '' then
    add(hash, start, amount)
  else
    hold(hash, open, amount, start, name, deadline, ARGV[3], ARGV[2])
  end
  lives(hash, millis)
end
return 1
"""
)

# KEYS: two for each bucket. ARGV: epoch; for each its start and what was spent at least. Returns in how many less is
# counted.
LACKS = Script("""
local lacks = 0
for at = 1, #KEYS / 2 do
  local epoch, amount = unpack(redis.call('HMGET', KEYS[2 * at - 1], 'epoch', ARGV[2 * at]))
  if epoch ~= ARGV[1] or tonumber(amount or '0') < tonumber(ARGV[2 * at + 1]) then lacks = lacks + 1 end
end
return lacks
""")

# KEYS: the state of all, the lock. ARGV: epoch; the server's run; how far each sender's records were in the seeds, as
# field and value. Returns 1: from now on this epoch holds; -1: the lock is lost.
BEGIN = Script("""
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return -1 end
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'run', ARGV[2])
for at = 3, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1]) end
return 1
""")
