"""The log's copy of an answer that is not what the provider sent: what the client got, after every change.

Where no stage changes the answer, the meter's copy is that of the client as well, and nothing is done here. Writes
``answer``.
"""

from penstock.core.budget import SMALL, Allowance, Budget
from penstock.core.telemetry import Counter
from penstock.model.reply import Reply, Stage
from penstock.model.step import Step
from penstock.providers.reading import NOT_KEPT

_BLOCK = 4096  # bytes of the budget that are taken at once


class Transcript:
    """``keep``: bytes of an answer that the log may hold; ``budget``: bytes that all answers together may hold.

    ``unread`` counts answers that were not kept, by gateway.
    """

    def __init__(self, keep: int, budget: Budget, unread: Counter) -> None:
        self._keep = keep
        self._budget = budget
        self._unread = unread

    def keep(self, step: Step, reply: Reply) -> Reply:
        """Puts a copying stage on the way of an answer that was changed."""
        if reply.changed and step.options.payloads and self._keep:
            step.reading.keep_nothing()
            copy = Copy(self._keep, self._budget.share(step.request.account, step.ex.gateway.number))
            reply.put(copy)
            step.defer(lambda step: self._settle(step, copy))
        return reply

    def _settle(self, step: Step, copy: "Copy") -> None:
        if copy.data is not None:
            step.answer = bytes(copy.data)
        elif copy.short:
            step.warnings.append(NOT_KEPT)
            self._unread.add((step.request.gateway,))
        copy.close()


class Copy(Stage):
    """Keeps what passes; ``data`` None: it was too large, or ``short`` of room."""

    __slots__ = ("_limit", "_room", "_taken", "data", "short")

    def __init__(self, limit: int, room: Allowance) -> None:
        self.data: bytearray | None = bytearray()
        self.short = False
        self._limit = limit
        self._room = room
        self._taken = 0  # bytes of the budget

    def feed(self, data: bytes) -> bytes:
        copy = self.data
        if copy is not None:
            size = len(copy) + len(data)
            if size <= self._taken or self._grow(size):
                copy += data
            else:
                self.close()
                self.data = None
        return data

    def end(self) -> bytes:
        return b""

    def close(self) -> None:
        """Gives all memory back."""
        self._room.give(self._taken)
        self._taken = 0

    def _grow(self, size: int) -> bool:
        if size > self._limit:
            return False
        for room in (min(size + _BLOCK, self._limit), size):  # a block, or else as much as is needed
            if self._room.try_take(room - self._taken, small=size <= SMALL):
                self._taken = room
                return True
        self.short = True
        return False
