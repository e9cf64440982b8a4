"""Money that may be spent, within which time, and what a call reserves of it. All amounts are nano-dollars."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

NANO = 10**9  # of a dollar
CENT = NANO // 100
TICKS = 128  # into which the interval of a sliding window is divided
_DAYS = {"day": 1, "week": 7, "month": 30}  # of a sliding window
_DAY = 24 * 3600 * 1000  # milliseconds
_WEEK = 7 * _DAY
_MONDAY = 4 * _DAY  # the first one after the epoch
_MONTHS = 12
NEVER = 1 << 62  # milliseconds since the epoch; a database keeps it


class Window(NamedTuple):
    """The time for which a limit holds.

    ``technique``: ``fixed`` (from one border of the clock, UTC, to the next; weeks begin on Monday), ``sliding`` (any
    interval of that length; a month has 30 days) or ``forever``. ``unit``: ``second``, ``day``, ``week`` or ``month``;
    ``units`` of them: 1 of all units but seconds. Spending is counted in buckets: of a fixed window, the
    window; of a sliding one, a 128th of it, a second at least; so spending is free again at most one bucket late, never
    early.
    """

    technique: str
    unit: str = "second"
    units: int = 1

    def bucket(self, now: int) -> int:
        """When the bucket of that time began; all times are milliseconds since the epoch. Forever: 0."""
        if self.technique == "fixed":
            return self._begun(now)
        return now - now % self._tick() if self.technique == "sliding" else 0

    def oldest(self, now: int) -> int:
        """The first bucket that still counts at that time."""
        return self.bucket(now - self.length(now)) if self.technique == "sliding" else self.bucket(now)

    def following(self, bucket: int) -> int:
        """When the next bucket begins; forever: never."""
        if self.technique == "fixed":
            return self._after(bucket)
        return bucket + self._tick() if self.technique == "sliding" else NEVER

    def ends(self, bucket: int) -> int:
        """When the spending of a bucket counts no more; forever: never."""
        following = self.following(bucket)
        return following + self.length(bucket) if self.technique == "sliding" else following

    def length(self, now: int) -> int:
        """Milliseconds of the window that the time lies in."""
        if self.technique == "fixed":
            return self._after(begun := self._begun(now)) - begun
        return self.units * 1000 if self.unit == "second" else _DAYS[self.unit] * _DAY

    def text(self) -> str:
        """As people say it: ``per 3600s, fixed``; ``per month, sliding``."""
        if self.technique == "forever":
            return "in all"
        return f"per {f'{self.units}s' if self.unit == 'second' else self.unit}, {self.technique}"

    def _tick(self) -> int:
        return max(1000, self.length(0) // TICKS)

    def _begun(self, now: int) -> int:
        if self.unit == "second":
            return now - now % (self.units * 1000)
        if self.unit == "day":
            return now - now % _DAY
        if self.unit == "week":
            return now - (now - _MONDAY) % _WEEK
        at = _date(now)
        return _millis(at.replace(day=1, hour=0, minute=0, second=0, microsecond=0))

    def _after(self, begun: int) -> int:
        if self.unit == "second":
            return begun + self.units * 1000
        if self.unit != "month":
            return begun + _DAYS[self.unit] * _DAY
        at = _date(begun)
        return _millis(at.replace(year=at.year + at.month // _MONTHS, month=at.month % _MONTHS + 1))


FOREVER = Window("forever")


class Budget(NamedTuple):
    """At most ``limit`` nano-dollars within the window. ``owner`` names the budget, once in an installation."""

    owner: str
    limit: int
    window: Window


class Claim(NamedTuple):
    """What a call reserves of a budget: the estimate of what it will spend."""

    budget: Budget
    amount: int


def dollars(nano: int) -> str:
    """As people write it, to the nano-dollar, without an exponent: ``$0.0125``."""
    whole, rest = divmod(abs(nano), NANO)
    return f"{'-' if nano < 0 else ''}${whole:,}.{f'{rest:09}'.rstrip('0').ljust(2, '0')}"


def _date(millis: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=millis)


def _millis(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
