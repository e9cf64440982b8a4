"""Answers in this process's memory, packed: a hundred thousand of them are nothing that the collector must look at."""

from collections.abc import Sequence

from penstock.backends.cache.index import Index
from penstock.backends.cache.indexed import IndexedCache
from penstock.core import codec
from penstock.ports.cache_store import CachedAnswer

_unpack = codec.unpacker(CachedAnswer).decode


class MemoryCache(IndexedCache):
    """What is kept goes with the process."""

    shared = False

    def __init__(self, index: Index, largest: int) -> None:
        super().__init__(index, largest)
        self._answers: dict[bytes, bytes] = {}

    async def read(self, key: bytes) -> CachedAnswer | None:
        self._index.use(key)
        packed = self._answers.get(key)
        return None if packed is None else _unpack(packed)

    def keep(self, key: bytes, owner: int, answer: CachedAnswer, ttl: int) -> bool:
        size = answer.size
        gone = self._index.add(key, owner, size, answer.made_at, ttl) if size <= self._largest else None
        if gone is None:
            return False
        self._answers[key] = codec.pack(answer)
        self._forget(gone)
        return True

    async def start(self) -> None:
        """Nothing is there."""

    async def stop(self) -> None:
        """Nothing waits."""

    def _forget(self, gone: Sequence[bytes]) -> None:
        for one in gone:
            self._answers.pop(one, None)
