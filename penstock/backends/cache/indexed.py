"""What every store with an index does alike."""

import asyncio
from abc import abstractmethod
from collections.abc import Sequence

from penstock.backends.cache.index import Index
from penstock.ports.cache_store import CacheStore, Purged


class IndexedCache(CacheStore):
    """``largest``: bytes of one answer."""

    def __init__(self, index: Index, largest: int) -> None:
        self._index = index
        self._largest = largest
        self._failures = 0

    def knows(self, key: bytes) -> bool:
        return self._index.knows(key)

    async def purge(self, owner: int, key: bytes | None = None, older_than: int = 0) -> Purged:
        count, everywhere = 0, True
        for gone in self._index.purge(owner, key, older_than):
            everywhere = await self._drop(gone) and everywhere
            count += len(gone)
            await asyncio.sleep(0)  # others have their turn
        return Purged(count, everywhere)

    def refreshed(self, key: bytes, began: float) -> None:
        self._index.outdate(key, began)

    def outdated(self, key: bytes, began: float) -> bool:
        return self._index.outdated(key, began)

    def figures(self) -> tuple[int, int, int, int]:
        return self._index.size, len(self._index), self._index.evicted, self._failures

    def drop(self, key: bytes) -> None:
        if self._index.drop(key):
            self._forget([key])

    async def _drop(self, gone: Sequence[bytes]) -> bool:
        """What is gone from the index goes from where it is kept. False: it could not be done now."""
        self._forget(gone)
        return True

    @abstractmethod
    def _forget(self, gone: Sequence[bytes]) -> None:
        """The same, at once."""
        ...
