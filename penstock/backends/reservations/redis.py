"""Money reserved and spent, counted in Redis for all processes.

Each process also keeps what it knows itself: for the time without Redis, when the setting ``limits_without_redis`` says
what is done, and a journal of its settlements. What Redis holds is what the database said when an *epoch* began, and
what the processes have settled since. An epoch ends when Redis was restarted or has forgotten it: the database then
tells how many records of each process its sums contain, and each process tells Redis what it has settled after those,
and what it has reserved. So nothing is forgotten and nothing counts twice, whatever Redis had kept.

Windows go by the clock of the process, as they do in the database.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, NamedTuple, cast

from penstock.backends.redis_link import PATIENCE, RedisAway, RedisLink, RedisRefused
from penstock.backends.reservations.known import Load
from penstock.backends.reservations.memory import MemoryReservations, wait
from penstock.backends.reservations.scripts import RESERVE, SETTLE
from penstock.backends.reservations.state import REMEMBERED, State, UnknownEpoch, keys, lasts, outlasts
from penstock.core import instants
from penstock.core.logs import log
from penstock.core.tasks import Tasks, end
from penstock.core.telemetry import Telemetry
from penstock.model.money import Budget, Claim
from penstock.ports.logsink import LogSink
from penstock.ports.reservations import Held, Refused, Reservations
from penstock.storage.errors import StoreUnavailable

KEPT = 120_000  # milliseconds that a settlement is kept when it is in Redis and in the database
MOST = 100_000  # settlements that are kept; when one goes too early, a new epoch begins
TOGETHER = 200  # settlements that travel together
LOOK = 1.0  # seconds without news after which it is asked whether another epoch began
AGAIN = 1.0  # seconds after which what failed is tried again


class Part(NamedTuple):
    """What a settlement tells of one budget. ``member``: what was outstanding; empty: nothing."""

    owner: str
    member: bytes
    start: int
    amount: int
    lives: int


class Settled(NamedTuple):
    """``place``: of its record in the log, as the sender numbers them, or a little before, where a call has several;
    ``at``: milliseconds since the epoch.
    """

    place: int
    at: int
    parts: list[Part]


class Outstanding(NamedTuple):
    """A reservation of this process. ``starts``: the bucket of each claim."""

    claims: Sequence[Claim]
    starts: list[int]
    deadline: int


class RedisReservations(Reservations):
    """``policy`` as in the setting ``limits_without_redis``; ``longest``: seconds that a call takes at most.

    ``sink`` takes the records of calls that are settled, each at once after its settlement.
    """

    def __init__(
        self,
        link: RedisLink,
        policy: str,
        telemetry: Telemetry,
        sink: LogSink,
        longest: float = 3600.0,
        clock: Callable[[], int] = instants.now,
    ) -> None:
        self._link = link
        self._policy = policy
        self._alone = telemetry.limits_alone
        self._refused = telemetry.reservations_refused
        self._sink = sink
        self._longest = round(longest * 1000)
        self._state = State(link, sink.sender, self._longest, clock)
        self._clock = clock
        self._own = MemoryReservations(telemetry.reservations_refused, clock, by="count")
        self._open: dict[bytes, Outstanding] = {}
        self._journal: deque[Settled] = deque()
        self._first = 0  # number of the first in the journal
        self._next = 0  # number of the first that is not in Redis
        self._written = 0  # records of this process that this epoch began with
        self._ready = asyncio.Event()  # Redis holds what it should
        self._until = 0.0  # when nobody waits for that any more, by the loop's clock
        self._said = False  # that something failed
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        self._task: asyncio.Task[Any] | None = None

    async def start(self, tasks: Tasks, load: Load) -> None:
        """Returns when Redis holds what it should, or cannot be asked. The link has started.

        Raises StoreUnavailable.
        """
        self._state.load = load
        self._own.seed((await load()).rows)
        self._link.on_up(self._came)
        self._came()
        self._task = tasks.start("spending", self._work())
        await self._idle.wait()

    async def settled(self) -> None:
        """Returns when Redis knows all that was settled, or cannot be asked."""
        if self._task is not None:
            if self.waiting():
                await self._idle.wait()
            await end(self._task)

    def waiting(self) -> int:
        """Settlements that Redis does not know yet."""
        return self._first + len(self._journal) - self._next

    async def reserve(self, reservation: bytes, claims: Sequence[Claim]) -> Refused | None:
        now = self._clock()
        held = Outstanding(claims, [one.budget.window.bucket(now) for one in claims], now + self._longest)
        asked = self._link.up
        try:
            told = await self._joined("reserve", reservation, held, now)
        except (RedisAway, RedisRefused) as error:
            self._failed(error)
            refused = await self._without(reservation, claims)
            if refused is None:
                self._open[reservation] = held
            elif asked:  # it may be reserved there
                self._note(reservation, held, [0] * len(claims), now)
            return refused
        except asyncio.CancelledError:  # nobody will settle it
            self._note(reservation, held, [0] * len(claims), now)
            raise
        if not told[0]:
            self._refused.add()
            return _refused(claims, told[1:], now)
        self._own.hold(reservation, claims)
        self._open[reservation] = held
        for (budget, _), spent in zip(claims, told[1::2], strict=True):
            self._own.learn(budget, int(spent))
        return None

    def settle(self, reservation: bytes, claims: Sequence[Claim], amounts: Sequence[int]) -> None:
        if not self._own.end(reservation):
            return
        self._own.spend(claims, amounts)
        held = self._open.pop(reservation, None) or Outstanding(claims, [], 0)
        self._note(reservation, held, amounts, self._clock())

    async def look(self, budgets: Sequence[Budget]) -> list[Held]:
        now = self._clock()
        claims = [Claim(budget, 0) for budget in budgets]
        try:
            told = await self._joined("look", b"", Outstanding(claims, [0] * len(claims), now), now)
        except (RedisAway, RedisRefused) as error:
            self._failed(error)
            return await self._own.look(budgets)
        return [Held(int(spent), int(reserved)) for spent, reserved in zip(told[1::2], told[2::2], strict=True)]

    async def _ask(self, mode: str, reservation: bytes, held: Outstanding, now: int) -> list[Any]:
        """Of RESERVE. Raises as the link, and UnknownEpoch."""
        named, given = list[str](), list[int | str]()
        for (budget, amount), start in zip(held.claims, held.starts, strict=True):
            window = budget.window
            named += keys(self._link, budget.owner)
            lives = outlasts(window.ends(start), held.deadline, now) if amount else 0
            given += (budget.limit, amount, start, window.oldest(now), window.text(), lives)
        about = (mode, reservation, now, held.deadline, REMEMBERED)
        told = await self._link.run(RESERVE, [self._state.key, *named], self._state.epoch, *about, *given)
        if told[0] < 0:
            raise UnknownEpoch
        return told

    async def _joined(self, mode: str, reservation: bytes, held: Outstanding, now: int) -> list[Any]:
        """The same, once Redis holds what it should. Raises as the link, RedisAway also where that takes long."""
        if not self._ready.is_set():
            await self._joining()
        try:
            return await self._ask(mode, reservation, held, now)
        except UnknownEpoch:
            self._came()
            await self._joining()
        try:
            return await self._ask(mode, reservation, held, now)
        except UnknownEpoch:
            raise RedisAway from None

    async def _joining(self) -> None:
        if not self._link.up:
            raise RedisAway
        try:
            async with asyncio.timeout_at(self._until):
                await self._ready.wait()
        except TimeoutError:
            raise RedisAway from None

    async def _without(self, reservation: bytes, claims: Sequence[Claim]) -> Refused | None:
        self._alone.add((self._policy,))
        if self._policy == "count":
            return await self._own.reserve(reservation, claims)
        if self._policy == "allow":
            self._own.hold(reservation, claims)
            return None
        (held,) = await self._own.look([claims[0].budget])
        return Refused(0, held, 1.0, self._policy)

    def _note(self, reservation: bytes, held: Outstanding, amounts: Sequence[int], now: int) -> None:
        """Into the journal; whoever works will tell Redis."""
        parts = list[Part]()
        for at, ((budget, reserved), amount) in enumerate(zip(held.claims, amounts, strict=True)):
            member = b"%d:%d:%b" % (reserved, held.starts[at], reservation) if reserved and held.starts else b""
            if member or amount:
                start = budget.window.bucket(now)
                ends = budget.window.ends(start)
                parts.append(Part(budget.owner, member, start, amount, lasts(ends, now)))
        if not parts:
            return
        self._journal.append(Settled(self._sink.pending() + self._sink.written_rows, now, parts))
        if len(self._journal) > MOST:
            self._journal.popleft()
            self._first += 1
            if self._next < self._first:
                self._next, self._state.gap = self._first, True
        self._idle.clear()
        self._news.set()

    def _came(self) -> None:
        """A connection was made, or another epoch began: what Redis held may be gone."""
        if self._ready.is_set() or not self._until:
            self._until = asyncio.get_running_loop().time() + PATIENCE
        self._ready.clear()
        self._idle.clear()
        self._news.set()

    def _failed(self, error: Exception) -> None:
        if isinstance(error, RedisRefused):
            self._say("Redis refuses to count what is spent: budgets do without it: %s", error.message)

    def _say(self, text: str, *about: object) -> None:
        if not self._said:
            log.error(text, *about)
        self._said = True

    async def _work(self) -> None:
        """Tells Redis what it does not know yet, for as long as the process lives."""
        while True:
            self._news.clear()
            try:
                if not self._ready.is_set():
                    await self._join()
                await self._tell()
                self._said = False
            except UnknownEpoch:
                self._came()
                continue
            except RedisAway:
                pass  # the link says when it is back
            except (RedisRefused, StoreUnavailable) as error:
                self._say("Redis cannot be told what was spent; it is tried again: %s", error)
                asyncio.get_running_loop().call_later(AGAIN, self._news.set)
            self._idle.set()
            await self._wait()

    async def _wait(self) -> None:
        """For news, and whether another epoch began."""
        try:
            async with asyncio.timeout(LOOK):
                await self._news.wait()
        except TimeoutError:
            with suppress(RedisAway, RedisRefused):
                if await self._state.ended():
                    self._came()

    async def _join(self) -> None:
        """Makes Redis hold what this process has reserved, and finds out from where on it is to be told."""
        if (written := await self._state.join()) is not None:
            self._next, self._written = self._first, written
        held = set[bytes]()
        while some := list(islice((name for name in self._open if name not in held), TOGETHER)):
            now = self._clock()
            await asyncio.gather(*(self._ask("hold", name, self._open[name], now) for name in some))
            held.update(some)
        self._ready.set()

    async def _tell(self) -> None:
        while self.waiting():
            begin = self._next - self._first
            some = list(islice(self._journal, begin, begin + TOGETHER))
            named, given = [self._state.key], list[bytes | int | str]()
            for number, one in enumerate(some, self._next):
                for part in one.parts:
                    named += keys(self._link, part.owner)
                    given += (number, *part[1:], int(one.place < self._written))
            number = self._next
            if await self._link.run(SETTLE, named, self._state.epoch, self._sink.sender.hex(), *given) < 0:
                raise UnknownEpoch
            self._next = max(self._next, number + len(some))
            self._trim()

    def _trim(self) -> None:
        """Forgets what no new epoch could lack."""
        written, old = self._sink.written_rows, self._clock() - KEPT
        while self._first < self._next and self._journal[0].at < old and self._journal[0].place < written:
            self._journal.popleft()
            self._first += 1


def _refused(claims: Sequence[Claim], told: Sequence[Any], now: int) -> Refused:
    """``told``: place of the claim, what is held, and the hash of its budget."""
    at, held, fields = int(told[0]), Held(int(told[1]), int(told[2])), cast("Sequence[bytes]", told[3:])
    oldest, pairs = claims[at].budget.window.oldest(now), zip(fields[::2], fields[1::2], strict=True)
    buckets = {int(start): int(amount) for start, amount in pairs if start.isdigit() and int(start) >= oldest}
    return Refused(at, held, wait(claims[at], held, buckets, now), "redis")
