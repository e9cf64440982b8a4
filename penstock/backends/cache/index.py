"""What is in a store, known in memory: which answers, of whom, how large, until when, and which was used when."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Final

from penstock.core import instants

Entry = tuple[float, int, int, int]  # until when, on the monotonic clock; bytes; owner; made at, in milliseconds
_UNTIL: Final = 0
_SIZE: Final = 1
_OWNER: Final = 2
_MADE_AT: Final = 3
SLICE = 2000  # answers looked at in one go, which takes less than a millisecond
PURGED = 10_000  # keys of which is remembered when they were purged


class Index:
    """Bounded in bytes. ``clock``: monotonic seconds; ``wall``: milliseconds since the epoch.

    What has expired is not known any more, and goes when it is the one unused for longest.
    """

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
        self._purged: OrderedDict[bytes, float] = OrderedDict()  # when, on the monotonic clock

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
        """Takes an entry; returns what had to go for it. None: it is too large, or has expired."""
        left = ttl - max(0.0, (self._wall() - made_at) / 1000)
        if size > self.limit or left <= 0:
            return None
        entries = self._entries
        self.drop(key)
        entries[key] = (self._clock() + left, size, owner, made_at)
        self.size += size
        gone: list[bytes] = []
        while self.size > self.limit:
            oldest, entry = entries.popitem(last=False)
            self.size -= entry[_SIZE]
            self.evicted += 1
            gone.append(oldest)
        return gone

    def drop(self, key: bytes) -> bool:
        """Forgets an entry; False: it was not there."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.size -= entry[_SIZE]
        return entry is not None

    def purge(self, owner: int, key: bytes | None = None, older_than: float = 0) -> Iterator[list[bytes]]:
        """Forgets an owner's answers that are at least so many seconds old, of one key alone if it is named. The latter
        is then out of date for every call that has begun.

        Yields what has gone after every ``SLICE`` answers looked at: between two of them others may have their turn.
        """
        latest = self._wall() - older_than * 1000
        keys = list(self._entries) if key is None else [key]
        for at in range(0, len(keys), SLICE):
            gone = [
                one
                for one in keys[at : at + SLICE]
                if (entry := self._entries.get(one)) is not None
                and entry[_OWNER] == owner
                and (not older_than or entry[_MADE_AT] <= latest)
                and self.drop(one)
            ]
            if key is not None and not older_than and key not in self._entries:  # else it is another owner's
                self.outdate(key)
            yield gone

    def outdate(self, key: bytes, began: float | None = None) -> None:
        """What calls bring that have begun by then is out of date; by now, if nothing is said."""
        self._purged[key] = max(self._purged.get(key, 0.0), self._clock() if began is None else began)
        self._purged.move_to_end(key)
        if len(self._purged) > PURGED:
            self._purged.popitem(last=False)

    def outdated(self, key: bytes, began: float) -> bool:
        """Whether it was purged, or refreshed by a later call, since a call began."""
        return began <= self._purged.get(key, -1.0)

    def made_before(self, at: int) -> set[bytes]:
        """The keys of answers made before that time."""
        return {key for key, entry in self._entries.items() if entry[_MADE_AT] < at}
