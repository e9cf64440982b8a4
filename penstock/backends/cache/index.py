"""What is in a store, known in memory: which answers, of whom, how large, until when, and which was used when."""

import heapq
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from penstock.core import instants

Entry = tuple[float, int, int, int]  # until when, on the monotonic clock; bytes; owner; made at, in milliseconds
_UNTIL: Final = 0
_SIZE: Final = 1
_OWNER: Final = 2
_MADE_AT: Final = 3


class Index:
    """Bounded in bytes. ``clock``: monotonic seconds; ``wall``: milliseconds since the epoch."""

    def __init__(
        self,
        limit: int,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], int] = instants.now,
    ) -> None:
        self.limit = limit
        self.size = 0  # bytes of all entries
        self.evicted = 0
        self._clock = clock
        self._wall = wall
        self._entries: OrderedDict[bytes, Entry] = OrderedDict()  # unused for longest first
        self._ends: list[tuple[float, bytes]] = []  # a heap; of a replaced entry the old end may still be there

    def __len__(self) -> int:
        return len(self._entries)

    def knows(self, key: bytes) -> bool:
        """Whether it is there and has not expired."""
        entry = self._entries.get(key)
        return entry is not None and entry[_UNTIL] > self._clock()

    def use(self, key: bytes) -> None:
        """It is used now."""
        if key in self._entries:
            self._entries.move_to_end(key)

    def add(self, key: bytes, owner: int, size: int, made_at: int, ttl: float) -> list[bytes] | None:
        """Takes an entry; returns what had to go for it, expired ones too. None: it is too large, or has expired."""
        left = ttl - max(0.0, (self._wall() - made_at) / 1000)
        if size > self.limit or left <= 0:
            return None
        self.drop(key)
        until = self._clock() + left
        self._entries[key] = (until, size, owner, made_at)
        self.size += size
        heapq.heappush(self._ends, (until, key))
        gone = self._expired()
        while self.size > self.limit:
            oldest = next(iter(self._entries))
            self.drop(oldest)
            self.evicted += 1
            gone.append(oldest)
        return gone

    def drop(self, key: bytes) -> bool:
        """Forgets an entry; False: it was not there."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.size -= entry[_SIZE]
        return entry is not None

    def of(self, owner: int, key: bytes | None = None, older_than: float = 0) -> list[bytes]:
        """The keys of an owner's answers that are at least so many seconds old; of one alone, if it is named."""
        latest = self._wall() - older_than * 1000
        among = self._entries if key is None else {key} & self._entries.keys()
        return [
            one
            for one in among
            if (entry := self._entries[one])[_OWNER] == owner and (not older_than or entry[_MADE_AT] <= latest)
        ]

    def made_before(self, at: int) -> set[bytes]:
        """The keys of answers made before that time."""
        return {key for key, entry in self._entries.items() if entry[_MADE_AT] < at}

    def _expired(self) -> list[bytes]:
        """Drops what has expired."""
        ends, now, gone = self._ends, self._clock(), list[bytes]()
        while ends and ends[0][0] <= now:
            until, key = heapq.heappop(ends)
            entry = self._entries.get(key)
            if entry is not None and entry[_UNTIL] == until:
                self.drop(key)
                gone.append(key)
        if len(ends) > 2 * len(self._entries) + 64:
            self._ends = [(entry[_UNTIL], key) for key, entry in self._entries.items()]
            heapq.heapify(self._ends)
        return gone
