"""Answers that are read when they are complete."""

from penstock.core.budget import Allowance
from penstock.core.turns import Turns
from penstock.model.usage import Reported
from penstock.providers.dialects import Dialect
from penstock.providers.reading.base import NO_ROOM, NOT_KEPT, READ_LIMIT, TOO_LARGE, Reading

_HEAD = 4 * 1024  # bytes of the beginning, and
_TAIL = 28 * 1024  # of the end, that are held of an answer that is too large to be held


class Whole(Reading):
    """An answer that is read when it is complete. ``dialect`` None: it is only kept, as with one that is silent."""

    __slots__ = ("_dialect", "_first", "_limit", "_more", "_narrow", "_unread")

    def __init__(self, dialect: Dialect | None, coding: bytes, keep: int, room: Allowance, turns: Turns) -> None:
        super().__init__(coding, keep, room, turns)
        self._unread = Reported() if dialect and dialect.silent else None  # what is told of an answer that is not read
        self._dialect = dialect = None if self._unread else dialect
        self._limit = max(READ_LIMIT, keep) if dialect else keep
        self._first = b""  # most answers are one frame, which is not copied
        self._more = bytearray()
        self._narrow = False  # only the answer's beginning and end are held, in these two
        if not self._limit:
            self._reads = False

    def feed(self, data: bytes) -> bytes:
        """A frame of the answer, as it travels."""
        self.size += len(data)
        if self._reads:
            if self._decoder is None:
                self._read(data)
            else:
                self._decode(data)
        return data

    def reported(self) -> Reported | None:
        super().reported()
        dialect = self._dialect
        if not self._reads:
            return Reported(lost=True) if dialect else self._unread
        if self._narrow:
            assert dialect is not None
            told = dialect.reported_edges(self._first, bytes(self._more))
            if told.raw:
                self.fault = NOT_KEPT if self.fault == NO_ROOM and self._keep else ""
            told.lost = not told.raw
            told.unread = ""
            return told
        body = self._first + self._more if self._more else self._first
        if 0 < self._keep >= len(body):
            self.kept = body
        return self._unread if dialect is None else dialect.reported(body)

    def _read(self, data: bytes) -> None:
        if self._narrow:
            self._more += data[-_TAIL:]
            if len(self._more) > 2 * _TAIL:
                del self._more[:-_TAIL]
        elif self._taken + len(data) > self._limit:
            self._hold_edges(data, TOO_LARGE if self._dialect else "")
        elif not self._hold(len(data)):
            self._hold_edges(data, NO_ROOM if self._dialect else NOT_KEPT)
        elif self._first:
            self._more += data
        else:
            self._first = data

    def _hold_edges(self, data: bytes, fault: str) -> None:
        """The answer is too large to be held: its usage stands at its beginning or its end."""
        so_far = self._first + self._more + data
        self._first, self._more = so_far[:_HEAD], bytearray(so_far[-_TAIL:])
        self._room.give(self._taken)
        self._taken = 0
        if self._dialect is None or not self._hold(_HEAD + 2 * _TAIL):
            self._stop(fault)
        else:
            self._narrow = True
            self.fault = fault
