"""Rows that are not written because their gateway has as many as it may: ``log_management`` with ``STOP_INSERTING``.

Calls count all the same: their records lose what makes a row of them.
"""

import time
from collections.abc import Callable, Iterable

from penstock.model.record import LogRecord
from penstock.storage.errors import StoreUnavailable
from penstock.storage.log import keep
from penstock.storage.sql import Sql

LOOK = 1.0  # seconds between two looks for what gateways keep, and how much they have


class Caps:
    """Those of all gateways, for one writer. ``shared``: others write too. ``clock`` counts seconds."""

    def __init__(
        self,
        connection: Sql,
        say: Callable[..., None],
        *,
        shared: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.left_out = 0  # rows
        self._connection = connection
        self._say = say
        self._shared = shared
        self._clock = clock
        self._version = -1  # of the configuration
        self._most: dict[int, int] = {}  # rows that gateways may have, where new ones are refused
        self._rows: dict[int, int] = {}  # of them, those whose rows were counted
        self._full: set[int] = set()
        self._look = 0.0  # on the clock

    def apply(self, records: Iterable[LogRecord]) -> None:
        """Takes from records what no row may be made of any more."""
        try:
            if self._clock() >= self._look:
                self._look = self._clock() + LOOK
                self._learn()
            if self._most:
                for record in records:
                    if record.logged and not record.draft and (most := self._most.get(record.gateway)) is not None:
                        self._judge(record, most)
        except StoreUnavailable:
            return  # as the writer is about to say

    def _judge(self, record: LogRecord, most: int) -> None:
        number = record.gateway
        if number not in self._rows:
            self._rows[number] = keep.count(self._connection, number)
        if self._rows[number] < most:
            self._rows[number] += 1
            self._full.discard(number)
            return
        record.logged, record.detail, record.request, record.response = False, b"{}", None, None
        self.left_out += 1
        if number not in self._full:
            self._full.add(number)
            remedy = "delete logs, raise log_management, or set log_management_strategy to DELETE_OLDEST"
            self._say("log.full", gateway=number, rows=most, remedy=remedy)

    def _learn(self) -> None:
        self._version, found = keep.changed(self._connection, self._version)
        for number, kept in found.items():
            self._rows.pop(number, None)
            if kept.most is None:
                self._most.pop(number, None)
            else:
                self._most[number] = kept.most
        for number, most in self._most.items():
            if self._rows.get(number, 0) >= most or (self._shared and number in self._rows):
                del self._rows[number]
        self._full &= self._most.keys()
