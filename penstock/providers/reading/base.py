"""What the readings of whole answers and of streams have in common: decoding, turns, and the budget."""

import asyncio
from collections.abc import Callable

from penstock.core.budget import SMALL, Allowance
from penstock.core.turns import Turns
from penstock.model.pace import Pace
from penstock.model.usage import Reported
from penstock.wire.encodings import Decoder, decoder
from penstock.wire.sse import LINES

READ_LIMIT = 10 << 20  # bytes of an answer, or of one event of a stream, that are held to learn its usage
RATIO = 100  # decoded bytes for each encoded one, of an answer that decodes to more than
_AIR = 1 << 20  # bytes
AHEAD = 1 << 18  # bytes that wait to be read, beyond which the provider waits
_WINDOW = 1 << 16  # bytes of what a decoder keeps of its output that are taken of the budget in one go
AT_ONCE = 16 * 1024  # bytes that are read as soon as they come

TOO_LARGE = f"usage not read: more than {READ_LIMIT} bytes, or {LINES} lines, in one piece"
CORRUPT = "usage not read: a message of the stream has more than 1 MiB, or is wrong by its checksum"
TOO_MUCH = "usage and answer not read: too many bytes, events or members for its size"
NO_ROOM = "usage and answer not read: all answers together hold as many bytes as answer_memory allows"
NOT_KEPT = "answer not kept: all answers together hold as many bytes as answer_memory allows"
UNREADABLE = "usage and answer not read: the answer's content coding is unknown or corrupt"
STOPPED = "usage and answer not read: the gateway stopped"
LOST = frozenset({TOO_LARGE, CORRUPT, TOO_MUCH, NO_ROOM, UNREADABLE, STOPPED})  # faults that leave something unread


class Reading:
    """What is common to whole answers and streams. ``fault`` says why reading stopped, where that should be known.

    ``kept`` is the decoded answer; None: not wanted, or too large. ``dull`` is the verdict on the last frame: whole
    events that say nothing of the call. Every other method is of use until ``close``.
    """

    __slots__ = ("_decoder", "_done", "_error", "_keep", "_plain", "_queued", "_reads", "_room", "_taken", "_turns",
                 "_waiting", "_window", "completed", "dull", "fault", "kept", "pace", "size")  # fmt: skip

    def __init__(self, coding: bytes, keep: int, room: Allowance, turns: Turns) -> None:
        self.size: int = 0  # bytes as they travelled
        self.kept: bytes | bytearray | None = None
        self.fault = ""
        self.dull = False
        self.completed: Callable[[Reported], None] | None = None  # adds what the answer's headers say; None: nothing
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

    def keep_nothing(self) -> None:
        """Nothing is kept for the log. To be called before the answer begins."""
        self._keep = 0

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
        read = self._plain + AT_ONCE
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
