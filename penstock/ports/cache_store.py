"""Where cached answers are kept."""

from typing import NamedTuple, Protocol

from penstock.core.codec import Struct


class CachedAnswer(Struct, array_like=True):
    """An answer as it went out, frame by frame, and what it had cost."""

    status: int
    headers: list[tuple[bytes, bytes]]  # name as sent, value; those that describe the body
    frames: list[bytes]
    stream: bool  # it goes out in the frames it came in; else whole
    made_at: int  # milliseconds since the epoch
    tokens_in: int = 0
    tokens_out: int = 0
    cost: int | None = None  # nano-dollars; None: not known
    form: str = ""  # what its body is written in: a dialect, else a provider

    @property
    def size(self) -> int:
        """Bytes that it counts for."""
        return sum(map(len, self.frames)) + _OVERHEAD


_OVERHEAD = 768  # bytes of an entry beside its frames, about: headers, key, place in the index


class Purged(NamedTuple):
    """``answers``: how many were dropped that were known here. ``everywhere``: False where others may have some yet."""

    answers: int
    everywhere: bool


class CacheStore(Protocol):
    """Bounded in bytes: the answers unused for longest make room. An answer that does not fit is not kept.

    What is there is known in memory, so that a miss asks nobody; what others keep becomes known within a second. One
    that fails is as one that is empty, and counts it: nothing here raises, and nothing makes a call wait for long.
    """

    shared: bool  # with all processes

    def knows(self, key: bytes) -> bool:
        """Whether there is an answer that has not expired."""
        ...

    async def read(self, key: bytes) -> CachedAnswer | None:
        """The answer, used now; None where it is gone after all."""
        ...

    def keep(self, key: bytes, owner: int, answer: CachedAnswer, ttl: int) -> bool:
        """Takes an answer of the gateway with that number for ``ttl`` seconds; returns at once. False: it does not, and
        what was there stays.
        """
        ...

    def drop(self, key: bytes) -> None:
        """Forgets an answer; returns at once."""
        ...

    async def purge(self, owner: int, key: bytes | None = None, older_than: int = 0) -> Purged:
        """Drops the gateway's answers, here and for all; ``key``: that one alone; ``older_than``: only what is at least
        so many seconds old.
        """
        ...

    def refreshed(self, key: bytes, began: float) -> None:
        """A call that began then has brought what is kept now, in the place of whatever was there."""
        ...

    def outdated(self, key: bytes, began: float) -> bool:
        """Whether the key was purged, or refreshed by a later call, since a call began, at that time of the monotonic
        clock: what it brings is of before.
        """
        ...

    def figures(self) -> tuple[int, int, int, int]:
        """Bytes and answers kept; answers dropped to make room, and failures, since the start."""
        ...

    async def start(self) -> None:
        """Finds out what is there. Never raises."""
        ...

    async def stop(self) -> None:
        """Writes what still waits to be written."""
        ...


class NullCacheStore(CacheStore):
    """Keeps nothing."""

    shared = False

    def knows(self, key: bytes) -> bool:
        return False

    async def read(self, key: bytes) -> CachedAnswer | None:
        return None

    def keep(self, key: bytes, owner: int, answer: CachedAnswer, ttl: int) -> bool:
        return False

    def drop(self, key: bytes) -> None:
        """Nothing is there."""

    async def purge(self, owner: int, key: bytes | None = None, older_than: int = 0) -> Purged:
        return Purged(0, everywhere=True)

    def refreshed(self, key: bytes, began: float) -> None:
        """Nothing is there."""

    def outdated(self, key: bytes, began: float) -> bool:
        return False

    def figures(self) -> tuple[int, int, int, int]:
        return 0, 0, 0, 0

    async def start(self) -> None:
        """Nothing is there."""

    async def stop(self) -> None:
        """Nothing waits."""


NOTHING_CACHED = NullCacheStore()
