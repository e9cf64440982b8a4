"""Takes out what gateways keep no longer: rows beyond their number or their age, and bodies beyond theirs."""

from collections import Counter
from collections.abc import Callable, Iterable

from penstock.storage.log import reap
from penstock.storage.log.keep import Keep, changed, count
from penstock.storage.log.query import id_range
from penstock.storage.sql import Sql

AGES = 60.0  # seconds between two looks for what has become too old


class Retention:
    """``step`` does a bounded piece of work. ``clock`` counts seconds, ``now`` tells milliseconds since the epoch."""

    def __init__(self, connection: Sql, clock: Callable[[], float], now: Callable[[], int]) -> None:
        self._connection = connection
        self._clock = clock
        self._now = now
        self._version = -1  # of the configuration
        self._keeps: dict[int, Keep] = {}  # gateways that have something to be taken out
        self._beyond: dict[int, int] = {}  # rows that a gateway has beyond its number, negative: it may have more
        self._new: Counter[int] = Counter()  # rows written, by gateway, that are not counted there yet
        self._old: dict[int, bytes] = {}  # gateways that may have rows of ids up to here, which are to go
        self._bare: dict[int, bytes] = {}  # the same of bodies
        self._stripped: dict[int, bytes] = {}  # ids up to which bodies are gone
        self._ages = 0.0  # on the clock

    @property
    def waits(self) -> bool:
        """Whether there is something to do."""
        return bool(self._old or self._bare) or any(rows > 0 for rows in self._beyond.values())

    @property
    def presses(self) -> bool:
        """Whether so much is beyond a number that it is not to wait until nothing comes."""
        return any(rows >= reap.ROWS for rows in self._beyond.values())

    def wrote(self, numbers: Iterable[int]) -> None:
        """Is to be told whose rows were written."""
        if self._beyond:
            self._new.update(number for number in numbers if number in self._beyond)
            for number in [number for number, rows in self._new.items() if rows >= reap.ROWS]:
                self._beyond[number] += self._new.pop(number)

    def look(self) -> None:
        """Learns what gateways keep, and what they have beyond that."""
        self._version, found = changed(self._connection, self._version)
        for number, keep in found.items():
            self._forget(number)
            if (keep.newest, keep.log_retention_days, keep.log_body_retention_days) != (None, None, None):
                self._keeps[number] = keep
                self._ages = 0.0
        for number, keep in self._keeps.items():
            if keep.newest is not None:
                self._beyond[number] = count(self._connection, number) - keep.newest
                self._new.pop(number, None)
        if self._clock() >= self._ages:
            self._ages = self._clock() + AGES
            for number, keep in self._keeps.items():
                if (moment := keep.rows_from(self._now())) is not None:
                    self._old[number] = id_range(moment - 1)[1]
                if (moment := keep.bodies_from(self._now())) is not None:
                    self._bare[number] = id_range(moment - 1)[1]

    def step(self) -> bool:
        """Returns whether rows were taken out."""
        most, number = max(((rows, number) for number, rows in self._beyond.items()), default=(0, 0))
        if most > 0:
            gone = reap.reap(self._connection, number, min(most, reap.ROWS))
            self._beyond[number] = most - gone if gone else 0
            return True
        if self._old:
            number, until = next(iter(self._old.items()))
            if not reap.reap(self._connection, number, until=until):
                del self._old[number]
            return True
        number, until = next(iter(self._bare.items()))
        done = reap.strip(self._connection, number, self._stripped.get(number, b""), until)
        if done is None:
            del self._bare[number]
        else:
            self._stripped[number] = done
        return False

    def _forget(self, number: int) -> None:
        for known in (self._keeps, self._beyond, self._new, self._old, self._bare, self._stripped):
            known.pop(number, None)
