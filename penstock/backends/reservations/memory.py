"""Money reserved and spent, counted in this process."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain

from penstock.backends.reservations.known import Load
from penstock.core import instants
from penstock.core.tasks import Tasks
from penstock.core.telemetry import Counter
from penstock.model.money import FOREVER, NEVER, Budget, Claim, Window
from penstock.ports.reservations import Held, Refused, Reservations

FEW = 1024  # budgets that are kept without asking whether they still matter
ENDED = 1 << 14  # reservations that are remembered at least when they have ended, so that each ends once
SOON = 1.0  # seconds to wait for calls that run: only they hold what is missing


class Spending:
    """What was spent of one budget, by bucket, and what calls that run have reserved of it."""

    __slots__ = ("_bucket", "_until", "_window", "buckets", "ends", "reserved", "spent")

    def __init__(self) -> None:
        self.buckets: dict[int, int] = {}
        self.spent = 0  # within the window
        self.reserved = 0
        self.ends = 0  # when nothing of it counts any more
        self._window = FOREVER
        self._bucket = self._until = 0  # these figures hold between

    def roll(self, window: Window, now: int) -> None:
        """Must precede each look: forgets what does not count any more."""
        if self._bucket <= now < self._until and (window is self._window or window == self._window):
            return
        oldest, self._window, self._bucket = window.oldest(now), window, window.bucket(now)
        self._until = min(window.following(self._bucket), window.ends(oldest))
        self.buckets = {start: amount for start, amount in self.buckets.items() if start >= oldest}
        self.spent = sum(self.buckets.values())
        self.ends = max(map(window.ends, self.buckets), default=0)

    def add(self, amount: int) -> None:
        """So much is spent now; it has been rolled."""
        if self._bucket not in self.buckets:
            self.buckets[self._bucket] = 0
            self.ends = max(self.ends, self._window.ends(self._bucket))
        self.buckets[self._bucket] += amount
        self.spent += amount

    def raise_to(self, start: int, amount: int, ends: int) -> None:
        """At least so much was spent in that bucket."""
        self.buckets[start] = max(amount, self.buckets.get(start, 0))
        self.ends = max(ends, self.ends)
        self._until = 0  # whether it counts is told by the window, and that by whoever asks


class MemoryReservations(Reservations):
    """``refused`` counts; ``clock``: milliseconds since the epoch; ``by``: as who it counts."""

    def __init__(self, refused: Counter, clock: Callable[[], int] = instants.now, by: str = "memory") -> None:
        self._refused = refused
        self._clock = clock
        self._by = by
        self._budgets: dict[str, Spending] = {}
        self._most = FEW
        self._open: dict[bytes, Sequence[Claim]] = {}
        self._ended: set[bytes] = set()
        self._ended_before: set[bytes] = set()

    async def start(self, tasks: Tasks, load: Load) -> None:
        """Begins from what the database says; whoever had reserved something is dead. Raises StoreUnavailable."""
        known, sums = await load(), defaultdict[tuple[str, int, int], int](int)
        for owner, start, ends, amount in chain(known.rows, *(draft.rows for draft in known.drafts)):
            sums[owner, start, ends] += amount
        self.seed((*bucket, amount) for bucket, amount in sums.items())

    async def settled(self) -> None:
        """Returns when all is counted: it is."""

    def waiting(self) -> int:
        """Settlements that are not counted yet."""
        return 0

    async def reserve(self, reservation: bytes, claims: Sequence[Claim]) -> Refused | None:
        now = self._clock()
        for at, (budget, amount) in enumerate(claims):
            spending = self._budgets.get(budget.owner) or self._of(budget.owner)
            spending.roll(budget.window, now)
            if budget.limit - spending.spent - spending.reserved < (amount or 1):
                self._give_back(claims[:at])
                self._refused.add()
                held = Held(spending.spent, spending.reserved)
                return Refused(at, held, wait(claims[at], held, spending.buckets, now), self._by)
            spending.reserved += amount
        self._open[reservation] = claims
        return None

    def settle(self, reservation: bytes, claims: Sequence[Claim], amounts: Sequence[int]) -> None:
        if self.end(reservation):
            self.spend(claims, amounts)

    async def look(self, budgets: Sequence[Budget]) -> list[Held]:
        now, found = self._clock(), list[Held]()
        for budget in budgets:
            spending = self._budgets.get(budget.owner)
            if spending is not None:
                spending.roll(budget.window, now)
            found.append(Held(0, 0) if spending is None else Held(spending.spent, spending.reserved))
        return found

    def hold(self, reservation: bytes, claims: Sequence[Claim]) -> None:
        """Reserves, whatever the limits."""
        now = self._clock()
        for budget, amount in claims:
            self._rolled(budget, now).reserved += amount
        self._open[reservation] = claims

    def end(self, reservation: bytes) -> bool:
        """Gives back what is reserved; False: that one has ended before."""
        if (held := self._open.pop(reservation, None)) is not None:
            self._give_back(held)
        elif reservation in self._ended or reservation in self._ended_before:
            return False
        self._ended.add(reservation)
        if len(self._ended) >= ENDED:
            self._ended, self._ended_before = set(), self._ended
        return True

    def spend(self, claims: Sequence[Claim], amounts: Sequence[int]) -> None:
        """Counts, whatever was reserved."""
        now = self._clock()
        for (budget, _), amount in zip(claims, amounts, strict=True):
            if amount:
                self._rolled(budget, now).add(amount)

    def learn(self, budget: Budget, spent: int) -> None:
        """At least so much was spent within the window, by others too."""
        spending = self._rolled(budget, self._clock())
        if spent > spending.spent:
            spending.add(spent - spending.spent)

    def seed(self, rows: Iterable[tuple[str, int, int, int]]) -> None:
        """At least so much was spent: owner, bucket, when that counts no more (0: never), amount."""
        for owner, start, ends, amount in rows:
            self._of(owner).raise_to(start, amount, ends or NEVER)

    def __len__(self) -> int:
        return len(self._budgets)

    def _give_back(self, claims: Sequence[Claim]) -> None:
        for budget, amount in claims:
            if amount:  # else the budget may be forgotten by now
                self._budgets[budget.owner].reserved -= amount

    def _rolled(self, budget: Budget, now: int) -> Spending:
        spending = self._budgets.get(budget.owner) or self._of(budget.owner)
        spending.roll(budget.window, now)
        return spending

    def _of(self, owner: str) -> Spending:
        if owner in self._budgets:
            return self._budgets[owner]
        if len(self._budgets) >= self._most:
            now = self._clock()
            self._budgets = {name: one for name, one in self._budgets.items() if one.reserved or one.ends > now}
            self._most = max(FEW, 2 * len(self._budgets))
        spending = self._budgets[owner] = Spending()
        return spending


def wait(claim: Claim, held: Held, buckets: Mapping[int, int], now: int) -> float:
    """Seconds until the budget has room for the claim; where it never will, or other calls hold that room, until some
    spending is free again. ``buckets``: what was spent in each; of what will never be free, 0.
    """
    (_, limit, window), amount = claim
    if window.technique == "forever":
        return 0.0
    if window.technique == "fixed":
        return (window.following(window.bucket(now)) - now) / 1000
    lacks = held.spent + held.reserved + (amount or 1) - limit
    ends = [window.ends(start) for start in sorted(buckets)]
    for start, end in zip(sorted(buckets), ends, strict=True):
        lacks -= buckets[start]
        if lacks <= 0:
            return (end - now) / 1000
    return (ends[0] - now) / 1000 if ends else SOON
