"""What every store with an index does alike."""

import asyncio
from abc import abstractmethod
from collections.abc import Sequence

from penstock.backends.cache.index import Index
from penstock.ports.cache_store import CacheStore


class IndexedCache(CacheStore):
    """``largest``: bytes of one answer."""

    def __init__(self, index: Index, largest: int) -> None:
        self._index = index
        self._largest = largest
        self._failures = 0

    def knows(self, key: bytes) -> bool:
        return self._index.knows(key)

    async def purge(self, owner: int, key: bytes | None = None, older_than: int = 0) -> int:
        count = 0
        for gone in self._index.purge(owner, key, older_than):
            await self._drop(gone)
            count += len(gone)
            await asyncio.sleep(0)  # others have their turn
        return count

    def refreshed(self, key: bytes, began: float) -> None:
        self._index.outdate(key, began)

    def outdated(self, key: bytes, began: float) -> bool:
        return self._index.outdated(key, began)

    def figures(self) -> tuple[int, int, int, int]:
        return self._index.size, len(self._index), self._index.evicted, self._failures

    @abstractmethod
    async def _drop(self, gone: Sequence[bytes]) -> None:
        """What is gone from the index goes from where it is kept."""
        ...
