"""Answers in this process's memory, packed: a hundred thousand of them are nothing that the collector must look at."""

import asyncio

from penstock.backends.cache.index import Index
from penstock.core import codec
from penstock.ports.cache_store import CachedAnswer, CacheStore

_unpack = codec.unpacker(CachedAnswer).decode


class MemoryCache(CacheStore):
    """``largest``: bytes of one answer."""

    shared = False

    def __init__(self, index: Index, largest: int) -> None:
        self._index = index
        self._largest = largest
        self._answers: dict[bytes, bytes] = {}

    def knows(self, key: bytes) -> bool:
        return self._index.knows(key)

    async def read(self, key: bytes) -> CachedAnswer | None:
        self._index.use(key)
        packed = self._answers.get(key)
        return None if packed is None else _unpack(packed)

    def keep(self, key: bytes, owner: int, answer: CachedAnswer, ttl: int) -> None:
        size = answer.size
        gone = self._index.add(key, owner, size, answer.made_at, ttl) if size <= self._largest else None
        if gone is None:
            return
        self._answers[key] = codec.pack(answer)
        for one in gone:
            self._answers.pop(one, None)

    async def purge(self, owner: int, key: bytes | None = None, older_than: int = 0) -> int:
        count = 0
        for gone in self._index.purge(owner, key, older_than):
            for one in gone:
                self._answers.pop(one, None)
            count += len(gone)
            await asyncio.sleep(0)
        return count

    def refreshed(self, key: bytes, began: float) -> None:
        self._index.outdate(key, began)

    def outdated(self, key: bytes, began: float) -> bool:
        return self._index.outdated(key, began)

    def figures(self) -> tuple[int, int, int, int]:
        return self._index.size, len(self._index), self._index.evicted, 0

    async def start(self) -> None:
        """Nothing is there."""

    async def stop(self) -> None:
        """Nothing waits."""
