"""Reads answers in passing, in slices of bounded work: what they used, and their decoded bytes for the log.

A small piece is read as it comes. What is more waits its turn (``core.turns``), counted in ``room``; where much waits,
the provider is paused. ``rest`` tells when all of it is read. An answer that asks for more than the limits here allow
is not read further, and says why.
"""

import asyncio

from penstock.core.budget import SMALL, Allowance
from penstock.core.turns import Turns
from penstock.model.pace import Pace
from penstock.model.usage import Reported
from penstock.providers.dialects import Dialect
from penstock.wire.encodings import Decoder, decoder
from penstock.wire.sse import LINES, Events, Piece, many_lines, split

READ_LIMIT = 10 << 20  # bytes of an answer, or of one event of a stream, that are held to learn its usage
RATIO = 100  # decoded bytes for each encoded one, of an answer that decodes to more than
_AIR = 1 << 20  # bytes
EVENTS = 250_000  # of one stream that are looked into, and
FEW = 4096  # of one that is much smaller encoded, but for
_SPARSE = 8  # encoded bytes for each further one
AHEAD = 1 << 18  # bytes that wait to be read, beyond which the provider waits
_WINDOW = 1 << 16  # bytes of what a decoder keeps of its output that are taken of the budget in one go
_AT_ONCE = 16 * 1024  # bytes that are read as soon as they come
_HEAD = 4 * 1024  # bytes of the beginning, and
_TAIL = 28 * 1024  # of the end, that are held of an answer that is too large to be held
_SPARE = 4096  # bytes of an event that is not complete which nobody counts: most are small, and soon complete
_BLOCK = 4096  # bytes of the budget that are taken at once for what is kept of a stream
_BLANK = 7  # bytes of an event that is too short to say anything

TOO_LARGE = f"usage not read: more than {READ_LIMIT} bytes, or {LINES} lines, in one piece"
TOO_MUCH = "usage and answer not read: too many bytes, events or members for its size"
NO_ROOM = "usage and answer not read: all answers together hold as many bytes as answer_memory allows"
NOT_KEPT = "answer not kept: all answers together hold as many bytes as answer_memory allows"
UNREADABLE = "usage and answer not read: the answer's content coding is unknown or corrupt"
STOPPED = "usage and answer not read: the gateway stopped"
LOST = frozenset({TOO_LARGE, TOO_MUCH, NO_ROOM, UNREADABLE, STOPPED})  # faults that leave something unread


class Reading:
    """What is common to whole answers and streams. ``fault`` says why reading stopped, where that should be known.

    ``kept`` is the decoded answer; None: not wanted, or too large. ``dull`` is the verdict on the last frame: whole
    events that say nothing of the call. Every other method is of use until ``close``.
    """

    __slots__ = ("_decoder", "_done", "_error", "_keep", "_plain", "_queued", "_reads", "_room", "_taken", "_turns",
                 "_waiting", "_window", "dull", "fault", "kept", "pace", "size")  # fmt: skip

    def __init__(self, coding: bytes, keep: int, room: Allowance, turns: Turns) -> None:
        self.size: int = 0  # bytes as they travelled
        self.kept: bytes | bytearray | None = None
        self.fault = ""
        self.dull = False
        self._keep = keep
        self._room = room
        self._turns = turns
        self._reads = True
        self._taken = 0  # bytes of the budget: of what is held
        self._waiting = 0  # bytes of the budget: of what is to be decoded, or read
        self._window = 0  # bytes of the budget: of what the decoder keeps of its output
        self._plain = 0  # bytes decoded
        self._queued = False
        self._done: asyncio.Future[None] | None = None
        self._error: Exception | None = None
        self.pace: Pace | None = None  # of what it reads; None: that cannot be paused
        self._decoder: Decoder | None = decoder(coding) if coding else None
        if coding and self._decoder is None:
            self._stop(UNREADABLE)

    def rest(self) -> asyncio.Future[None] | None:
        """The answer has ended. What to await until it is read; None: it is."""
        if not self._queued:
            return None
        self._done = asyncio.get_running_loop().create_future()
        return self._done

    def close(self) -> None:
        """Gives all memory back. Raises what failed while nobody could be told of it."""
        if self.pace is not None:
            self.pace.close()
        self._let_go()
        if self._error is not None:
            raise self._error

    def end(self) -> bytes:
        return b""

    def reported(self) -> Reported | None:
        """What the answer says of itself, when it has ended; None: it is in no dialect."""
        if self._queued:
            self._stop(STOPPED)
        return None

    def _read(self, data: bytes) -> None:
        """Reads a slice of decoded bytes."""
        raise NotImplementedError  # whole answers and streams each have their own

    def _decode(self, data: bytes) -> None:
        """Reads encoded bytes: the beginning now, what is left later."""
        decode = self._decoder
        assert decode is not None
        if self._queued:
            self._wait(data)
            return
        decode.put(data)
        read = self._plain + _AT_ONCE
        while self._step():
            if self._plain >= read:
                self._queue()
                return

    def _wait(self, data: bytes) -> None:
        """Reads the data later."""
        if self._decoder is None:
            self._decoder = decoder(b"")
        if self._decoder is not None:
            self._decoder.put(data)
            self._queue()

    def _queue(self) -> None:
        """What the decoder has waits for its turn."""
        decode = self._decoder
        assert decode is not None
        size = decode.waiting - self._waiting
        if self._waiting > READ_LIMIT:
            self._stop(TOO_MUCH)
        elif not self._takes(size, small=decode.waiting <= AHEAD):
            self._stop(NO_ROOM)
        else:
            self._waiting += size
            if not self._queued:
                self._queued = True
                self._turns.add(self._turn)
            if self._waiting > AHEAD and self.pace is not None:
                self.pace.fall_behind()

    def _turn(self) -> bool:
        try:
            if self._step():
                return True
        except Exception as error:  # noqa: BLE001  nobody is here to be told: ``close`` raises it
            self._error = error
        self._queued = False
        self._room.give(self._waiting)
        self._waiting = 0
        if self.pace is not None:
            self.pace.catch_up()
        if self._done is not None and not self._done.done():
            self._done.set_result(None)
        return False

    def _step(self) -> bool:
        """Decodes and reads one slice of what waits; False: nothing waits any more."""
        decode = self._decoder
        if not self._reads or decode is None:
            return False
        part = decode.take()
        if self._waiting:
            self._room.give(self._waiting - decode.waiting)
            self._waiting = decode.waiting
            if self._waiting < AHEAD // 4 and self.pace is not None:
                self.pace.catch_up()
        if decode.failed:
            self._stop(UNREADABLE)
        elif (more := decode.kept - self._window) >= _WINDOW and not self._widen(more):
            self._stop(NO_ROOM)
        elif part:
            self._plain += len(part)
            if self._plain > _AIR and self._plain > RATIO * self.size:
                self._stop(TOO_MUCH)
            else:
                self._read(part)
        return part is not None and self._reads

    def _widen(self, size: int) -> bool:
        """Takes so many bytes of the budget for what the decoder keeps of its output, if there is room."""
        if not self._takes(size, small=self._window + size <= SMALL):
            return False
        self._window += size
        return True

    def _takes(self, size: int, *, small: bool) -> bool:
        """Takes so many bytes of the budget, if there is room, or what is kept for the log makes some."""
        room = self._room
        return room.try_take(size, small=small) or (self._forgo() and room.try_take(size, small=small))

    def _forgo(self, fault: str = NOT_KEPT) -> bool:
        """Keeps nothing for the log any more, so that the usage can be read. False: nothing was kept."""
        return False

    def _hold(self, size: int) -> bool:
        """Takes so many bytes of the budget, if there is room."""
        if not self._room.try_take(size, small=self._taken + size <= SMALL):
            return False
        self._taken += size
        return True

    def _stop(self, fault: str = "") -> None:
        """Reads no further."""
        self._reads = False
        self.fault = fault or self.fault
        self.kept = self._decoder = None
        self._let_go()
        if self.pace is not None:
            self.pace.catch_up()

    def _let_go(self) -> None:
        self._room.give(self._taken + self._waiting + self._window)
        self._taken = self._waiting = self._window = 0


class Whole(Reading):
    """An answer that is read when it is complete. ``dialect`` None: it is only kept."""

    __slots__ = ("_dialect", "_first", "_limit", "_more", "_narrow")

    def __init__(self, dialect: Dialect | None, coding: bytes, keep: int, room: Allowance, turns: Turns) -> None:
        super().__init__(coding, keep, room, turns)
        self._dialect = dialect
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
            return Reported(lost=True) if dialect else None
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
        return None if dialect is None else dialect.reported(body)

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


class Stream(Reading):
    """A stream of events, read as they come."""

    __slots__ = ("_ahead", "_amid", "_copy", "_count", "_dull", "_events", "_held", "_reader")

    def __init__(self, dialect: Dialect, coding: bytes, keep: int, room: Allowance, turns: Turns) -> None:
        self._events, self._copy = Events(READ_LIMIT), None
        super().__init__(coding, keep, room, turns)
        self._reader = dialect.reader()
        self._dull = self._reader.dull
        self._amid = False  # of an event
        self._held = 0  # bytes, taken of the budget, of an event that is not complete
        self._count = 0  # events looked into
        self._copy = bytearray() if keep and self._reads else None
        self._ahead = 0  # bytes that it may grow by: taken of the budget in blocks

    def feed(self, data: bytes) -> bytes:
        """A frame of the answer, as it travels."""
        self.size += len(data)
        self.dull = False
        if self._reads:
            if self._decoder is not None:
                self._decode(data)
            elif len(data) <= _AT_ONCE:
                self._read(data)
            else:
                self._wait(data)
        return data

    def reported(self) -> Reported:
        super().reported()
        self.kept = self._copy
        if self._reads and (rest := self._events.rest()) and type(rest) is not Piece:
            self._reader.event(rest)  # many a stream ends without its last blank line
        told = self._reader.reported()
        if self.fault in LOST:
            told = Reported(told.model, error=told.error, complete=told.complete or not self._reads, lost=True)
        return told

    def _read(self, data: bytes) -> None:
        if self._copy is not None:
            if len(data) <= self._ahead:
                self._ahead -= len(data)
                self._copy += data
            else:
                self._keep_up(self._copy, data)
        if not self._amid and data.endswith(b"\n\n"):
            self.dull = dull = self._dull(data)
            if not dull:
                self._look(data)
        else:
            self._cut(data)

    def _cut(self, data: bytes) -> None:
        """Reads what is not just whole events."""
        events = self._events
        for block in events.feed(data):
            if type(block) is Piece:
                self.fault = TOO_LARGE
            elif not self._dull(block):
                self._look(block)
        if not self._reads:
            return
        self._amid = events.holding
        held = max(0, events.held - _SPARE)
        if held <= self._held:
            self._room.give(self._held - held)
            self._taken -= self._held - held
        elif not (self._hold(held - self._held) or (self._forgo() and self._hold(held - self._held))):
            self._stop(NO_ROOM)
            return
        self._held = held

    def _stop(self, fault: str = "") -> None:
        super()._stop(fault)
        self._copy = None
        self._events.rest()
        self._held = 0

    def _look(self, block: bytes) -> None:
        """Reads events, one by one."""
        found = [event for event in split(block) if len(event) > _BLANK]
        self._count += len(found)
        if self._count > FEW and self._count > min(EVENTS, FEW + self.size // _SPARSE):
            self._stop(TOO_MUCH)
            return
        for event in found:
            if many_lines(event):
                self.fault = TOO_LARGE
            else:
                self._reader.event(event)

    def _keep_up(self, copy: bytearray, data: bytes) -> None:
        size = len(copy) + len(data)
        need, more = len(data) - self._ahead, min(_BLOCK, self._keep - size)
        if more >= 0 and self._hold(need + more):
            self._ahead = more
        elif more >= 0 and self._hold(need):
            self._ahead = 0
        else:
            self._forgo(NOT_KEPT if more >= 0 else self.fault)  # no fault: it is larger than may be kept at all
            return
        copy += data

    def _forgo(self, fault: str = NOT_KEPT) -> bool:
        copy = self._copy
        if copy is None:
            return False
        self.fault = fault
        self._room.give(len(copy) + self._ahead)
        self._taken -= len(copy) + self._ahead
        self._copy = None
        return True
