"""Answers in Redis, for all processes. Each hears from the others what they keep and drop, and so knows what is there.

A value begins with what the index must know of it, so that finding out what is there reads no answer.
"""

import asyncio
import contextlib
import os
import struct
from collections.abc import Sequence
from typing import Any

from penstock.backends import redis_channel
from penstock.backends.cache.index import Index
from penstock.backends.cache.indexed import IndexedCache
from penstock.backends.redis_channel import PATIENCE
from penstock.backends.redis_link import RedisAway, RedisLink, RedisRefused, Script, Word
from penstock.core import codec, instants
from penstock.core.tasks import Tasks, end
from penstock.ports.cache_store import CachedAnswer, Purged

WAITING = 16 << 20  # bytes of answers that may wait to be written; beyond, they are not kept
LONGEST = 10 * 365 * 24 * 3600  # seconds; Redis refuses much longer ones
_HEAD = struct.Struct("!BQQQQ")  # version of the format, owner, size, made_at, ttl
_VERSION = 1
OWED = 10_000  # keys that are remembered to be dropped
_SOON = 0.01  # seconds
_LATER = 1.0  # seconds between two tries to drop what is owed
_PAGE = 500  # keys asked for at once
_unpack = codec.unpacker(CachedAnswer).decode

# What is done and that it is told are one step, so that all hear of everything in the order in which it was done. Else
# an answer could be there of which nobody knows, and count in nobody's bound.
# KEYS: the answer's, and of those that go for it. ARGV: the answer, seconds to live, where news are told, the news.
_KEEP = Script("""
for at = 2, #KEYS do redis.call('DEL', KEYS[at]) end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
redis.call('PUBLISH', ARGV[3], ARGV[4])
""")

# KEYS: of what goes. ARGV: where news are told, the news.
_DROP = Script("""
for at = 1, #KEYS do redis.call('DEL', KEYS[at]) end
redis.call('PUBLISH', ARGV[1], ARGV[2])
""")


class News(codec.Struct, array_like=True):
    """What one process tells the others: some that are gone, and after that an answer that it keeps, if ``key`` is
    one.
    """

    sender: bytes
    gone: Sequence[bytes]
    purged: bool = False  # somebody asked for it: calls that have begun keep nothing under them
    key: bytes = b""
    owner: int = 0
    size: int = 0
    made_at: int = 0
    ttl: int = 0


_unpack_news = codec.unpacker(News).decode


class RedisCache(IndexedCache):
    """``url``: where to listen for news; everything else goes over ``link``."""

    shared = True

    def __init__(self, link: RedisLink, url: str, index: Index, largest: int, tasks: Tasks) -> None:
        super().__init__(index, largest)
        self._link = link
        self._url = url
        self._tasks = tasks
        self._name = os.urandom(8)  # this process, among those that tell news
        self._waiting: dict[bytes, CachedAnswer] = {}  # on their way
        self._bytes = 0  # of those
        self._owed: set[bytes] = set()  # keys that Redis may have and should not
        self._payer: asyncio.Task[Any] | None = None
        self._listener: asyncio.Task[Any] | None = None
        self._listens = asyncio.Event()
        self._prefix = b""
        self._channel = ""

    async def read(self, key: bytes) -> CachedAnswer | None:
        self._index.use(key)
        if (waiting := self._waiting.get(key)) is not None:
            return waiting
        try:
            value = await self._link.ask("GET", self._prefix + key)
        except (RedisAway, RedisRefused):
            self._failures += 1
            return None
        try:
            answer = _unpack(memoryview(value)[_HEAD.size :]) if value and value[0] == _VERSION else None
        except codec.DecodeError:
            answer = None
        if answer is None and key not in self._waiting:  # expired, evicted by whomever, or another release's
            self._index.drop(key)
        return answer

    def keep(self, key: bytes, owner: int, answer: CachedAnswer, ttl: int) -> bool:
        size = answer.size
        if not self._link.up or size > self._largest or self._bytes + size > WAITING:
            return False
        gone = self._index.add(key, owner, size, answer.made_at, ttl)
        if gone is None:
            return False
        self._forget(gone)
        self._waiting[key] = answer
        self._bytes += size
        self._tasks.start("cache", self._write(key, owner, answer, ttl, gone))
        return True

    def drop(self, key: bytes) -> None:
        if self._index.drop(key):
            self._forget([key])
            self._tasks.start("cache", self._drop([key]))

    def knows(self, key: bytes) -> bool:
        return self._listens.is_set() and super().knows(key)

    async def purge(self, owner: int, key: bytes | None = None, older_than: int = 0) -> Purged:
        if key is None or older_than:
            answers, everywhere = await super().purge(owner, key, older_than)
            return Purged(answers, everywhere and self._link.up)
        (gone,) = self._index.purge(owner, key)
        theirs = self._index.knows(key)  # another owner's
        return Purged(len(gone), theirs or await self._drop([key], purged=True))

    async def start(self) -> None:
        """Returns when it is known what is there, or Redis has not answered for a while."""
        self._prefix = f"{self._link.prefix}cache:".encode()
        self._channel = f"{self._link.prefix}cache"
        self._link.on_up(self._begin)
        self._begin()
        try:
            async with asyncio.timeout(PATIENCE if self._link.up else 0):
                await self._listens.wait()
        except TimeoutError:
            return

    def _begin(self) -> None:
        """Listens, anew each time that Redis is back: what was told meanwhile is lost, and what is owed is due."""
        if self._listener is not None:
            self._listener.cancel()
        self._unheard()
        self._listener = self._tasks.start(
            "cache news",
            redis_channel.listen(
                self._url, self._channel, listening=self._listening, heard=self._learn, away=self._unheard
            ),
        )

    def _unheard(self, _: object = None) -> None:
        """Until it is known again what is there, nothing is: another process may have dropped it."""
        self._listens.clear()

    async def stop(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while self._waiting:  # noqa: ASYNC110  once, at the end
                    await asyncio.sleep(_SOON)
        if self._listener is not None:
            await end(self._listener)

    async def _write(self, key: bytes, owner: int, answer: CachedAnswer, ttl: int, gone: list[bytes]) -> None:
        size = answer.size
        if self._waiting.get(key) is answer:  # else another one has taken its place, or it is gone already
            value = _HEAD.pack(_VERSION, owner, size, answer.made_at, ttl) + codec.pack(answer)
            news = News(self._name, gone, key=key, owner=owner, size=size, made_at=answer.made_at, ttl=ttl)
            keys = [self._prefix + one for one in (key, *gone)]
            kept = await self._do(_KEEP, keys, value, min(ttl, LONGEST), self._channel, codec.pack(news))
            if self._waiting.get(key) is answer:
                del self._waiting[key]
                if not kept:
                    self._index.drop(key)
            if kept:
                self._owed.difference_update((key, *gone))
            else:  # what Redis still has of all these is older
                await self._drop(self._still([key, *gone]))
        else:
            await self._drop(self._still(gone))
        self._bytes -= size

    def _still(self, gone: Sequence[bytes]) -> list[bytes]:
        """Those that have not come again meanwhile."""
        return [key for key in gone if not self._index.knows(key)]

    async def _drop(self, gone: Sequence[bytes], *, purged: bool = False) -> bool:
        """What is gone from the index goes from Redis, and all hear of it; what cannot go now is owed."""
        self._forget(gone)
        done = True
        for at in range(0, len(gone), _PAGE):
            page = gone[at : at + _PAGE]
            news = codec.pack(News(self._name, page, purged))
            if await self._do(_DROP, [self._prefix + one for one in page], self._channel, news):
                self._owed.difference_update(page)
            else:
                self._owe(page)
                done = False
        return done

    def _owe(self, gone: Sequence[bytes]) -> None:
        """They are dropped once that can be done."""
        self._owed.update(gone[: OWED - len(self._owed)])
        if self._payer is None or self._payer.done():
            self._payer = self._tasks.start("cache", self._pay())

    async def _pay(self) -> None:
        while self._owed:
            await asyncio.sleep(_LATER)
            if self._link.up:
                await self._drop(self._still(list(self._owed)), purged=True)

    def _forget(self, gone: Sequence[bytes]) -> None:
        """What waits to be written no longer does."""
        for key in gone:
            self._waiting.pop(key, None)

    async def _do(self, script: Script, keys: list[bytes], *arguments: Word) -> bool:
        try:
            await self._link.run(script, keys, *arguments)
        except (RedisAway, RedisRefused):
            self._failures += 1
            return False
        return True

    # What the others tell

    async def _listening(self) -> None:
        await self._load()
        self._listens.set()

    def _learn(self, data: bytes) -> None:
        try:
            news = _unpack_news(data)
        except codec.DecodeError:
            return  # another release's
        if news.sender == self._name:
            return
        late = [key for key in news.gone if self._index.drop(key) and news.purged]
        self._forget(news.gone)
        self._owed.difference_update(news.gone, (news.key,))
        if news.purged:
            for key in news.gone:
                self._index.outdate(key)
        if late:  # it may have been kept here after it was purged there, before that was heard
            self._tasks.start("cache", self._drop(late))
        if news.key:
            self._add(news.key, news.owner, news.size, news.made_at, news.ttl)

    def _add(self, key: bytes, owner: int, size: int, made_at: int, ttl: int) -> None:
        """Another process's answer is there. What has to go for it is nobody else's to drop."""
        gone = self._index.add(key, owner, size, made_at, ttl)
        if gone:
            self._tasks.start("cache", self._drop(gone))

    async def _load(self) -> None:
        """Drops what is owed, finds out what is there, and forgets what is not. Raises RedisAway, RedisRefused."""
        await self._drop(self._still(list(self._owed)), purged=True)
        before, found, cursor = self._index.made_before(instants.now()), set[bytes](), b"0"
        while True:
            cursor, keys = await self._link.ask("SCAN", cursor, "MATCH", self._prefix + b"*", "COUNT", _PAGE)
            heads = await asyncio.gather(*(self._link.ask("GETRANGE", key, 0, _HEAD.size - 1) for key in keys))
            for name, head in zip(keys, heads, strict=True):
                if len(head) == _HEAD.size and head[0] == _VERSION:
                    key = name.removeprefix(self._prefix)
                    found.add(key)
                    if not self._index.knows(key) and key not in self._owed:
                        self._add(key, *_HEAD.unpack(head)[1:])
            if cursor == b"0":
                break
        for key in before - found:
            self._index.drop(key)
