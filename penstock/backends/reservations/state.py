"""The epochs of what Redis holds of spending: which one holds, and how a new one begins from the database."""

import asyncio
import secrets
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import TypeVar

from penstock.backends.redis_link import RedisAway, RedisLink, RedisRefused
from penstock.backends.reservations.known import Known, Load
from penstock.backends.reservations.scripts import BEGIN, LACKS, SEED
from penstock.model.money import NEVER

LOCK = 30_000  # milliseconds that a process has to begin an epoch
LOOK = 0.05  # seconds between two looks whether another one has
TOGETHER = 200  # buckets that travel together
REMEMBERED = 3600 * 1000  # milliseconds for which a late settlement corrects what was counted in its place
MARGIN = 60_000  # milliseconds that Redis keeps what counts no more: clocks differ

T = TypeVar("T")


class UnknownEpoch(Exception):
    """Redis holds what was spent as of another epoch, or not at all."""


class State:
    """As this process knows it. ``gap``: Redis lacks what this process can tell no more; ``longest``: milliseconds of
    a call; ``load`` asks the database.
    """

    load: Load

    def __init__(self, link: RedisLink, sender: bytes, longest: int, clock: Callable[[], int]) -> None:
        self.epoch = ""
        self.gap = False
        self._link = link
        self._sender = sender
        self._longest = longest
        self._clock = clock

    @property
    def key(self) -> str:
        """Of a hash: epoch, run of the server, and of each sender how many records are in the seeds."""
        return f"{self._link.prefix}spending"

    async def join(self) -> int | None:
        """Returns when an epoch holds. None: it is the same as before; else how many records of this process are in it.

        Raises as the link, and StoreUnavailable.
        """
        run = await self._run()
        while True:
            epoch, of, written = await self._link.ask("HMGET", self.key, "epoch", "run", _field(self._sender))
            if epoch and of == run.encode() and not self.gap:
                same = epoch.decode() == self.epoch
                if same or not await self._lacks(epoch.decode()):
                    self.epoch = epoch.decode()
                    return None if same else int(written or 0)
            if await self._begin(run):
                self.gap = False
            else:
                await asyncio.sleep(LOOK)

    async def ended(self) -> bool:
        """Whether the epoch holds no more."""
        return await self._link.ask("HGET", self.key, "epoch") != self.epoch.encode()

    async def _run(self) -> str:
        """Another one whenever the server was restarted: it may have lost what it had."""
        with suppress(RedisRefused):  # it may not be asked
            for line in (await self._link.ask("INFO", "server")).decode().splitlines():
                if line.startswith("run_id:"):
                    return line.removeprefix("run_id:")
        return ""

    async def _lacks(self, epoch: str) -> bool:
        """Whether less is counted than the database says: then somebody has ended without a word.

        What is on its way may look so; a new epoch is right in any case.
        """
        rows = (await self.load()).rows
        for some in _some(rows):
            named = [key for row in some for key in keys(self._link, row[0])]
            given = [value for _, start, _, amount in some for value in (start, amount)]
            if await self._link.run(LACKS, named, epoch, *given):
                return True
        return False

    async def _begin(self, run: str) -> bool:
        """Returns False where another process does, or this one took too long."""
        epoch, lock = secrets.token_hex(8), f"{self.key}:lock"
        if not await self._link.ask("SET", lock, epoch, "NX", "PX", LOCK):
            return False
        try:
            await self._link.ask("DEL", self.key)  # from now on nobody counts
            known, now = await self.load(), self._clock()
            for some in _some(list(self._seeds(known, now))):
                named = [key for owner, _ in some for key in keys(self._link, owner)]
                given = [value for _, values in some for value in values]
                if await self._link.run(SEED, [lock, *named], epoch, REMEMBERED, now, *given) < 0:
                    return False
            written = [value for sender, count in known.written.items() for value in (_field(sender), count)]
            return await self._link.run(BEGIN, [self.key, lock], epoch, run, *written) > 0
        except BaseException:
            with suppress(RedisAway, RedisRefused):
                await self._link.ask("DEL", lock)
            raise

    def _seeds(self, known: Known, now: int) -> Iterable[tuple[str, tuple[int | str | bytes, ...]]]:
        """Owners, and for each what SEED takes."""
        for owner, start, ends, amount in known.rows:
            yield owner, (start, amount, lasts(ends, now), "", "")
        for name, at, rows in known.drafts:
            deadline = at + self._longest
            for owner, start, ends, amount in rows:
                if amount:
                    yield owner, (start, amount, outlasts(ends, deadline, now), deadline, name)


def outlasts(ends: int, deadline: int, now: int) -> int:
    """The same of what is reserved."""
    lives = lasts(ends, now)
    return lives and max(lives, deadline - now + REMEMBERED + MARGIN)


def keys(link: RedisLink, owner: str) -> tuple[str, str]:
    """Of a budget: what was spent, and what is outstanding."""
    return f"{link.prefix}spent:{owner}", f"{link.prefix}outstanding:{owner}"


def lasts(ends: int, now: int) -> int:
    """Milliseconds that Redis keeps what counts until then; 0: for ever."""
    return 0 if ends in {0, NEVER} else max(1000, ends - now + MARGIN)


def _field(sender: bytes) -> str:
    return f"written:{sender.hex()}"


def _some(rows: Sequence[T]) -> Iterable[Sequence[T]]:
    return (rows[at : at + TOGETHER] for at in range(0, len(rows), TOGETHER))
