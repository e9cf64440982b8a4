"""The body of a request while it arrives: held up to a limit, streamed through beyond it."""

import asyncio
from typing import Protocol

from penstock.core.budget import SMALL, Allowance, Budget
from penstock.core.errors import BodyTooLarge, Overloaded, PenstockError

HELD = 25 << 20  # bytes of a request that is held whole because somebody must see all of it


class Sink(Protocol):
    """Where a body goes, frame by frame, in plain calls."""

    def on_frame(self, data: bytes) -> None: ...
    def on_end(self) -> None: ...
    def on_error(self, error: PenstockError) -> None: ...


class Flow(Protocol):
    """The reading side of whoever produces the frames."""

    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def proceed(self) -> None:
        """The frames are wanted now: a client that waits to be asked is asked."""
        ...


class Bounds:
    """How request bodies are treated in this process; sizes in bytes."""

    __slots__ = ("budget", "hold", "keep", "limit")

    def __init__(self, *, hold: int, keep: int, limit: int, budget: Budget) -> None:
        self.hold = hold  # up to here a body is held whole; larger ones stream through
        self.keep = keep  # up to here a body is kept for the log, whether it is held or streams through
        self.limit = limit  # beyond this it is refused
        self.budget = budget  # shared by all bodies of the process


class RequestBody:
    """Frames of a request body. ``chunks`` holds what came, unless it outgrew what is worth keeping."""

    __slots__ = (
        "_flow",
        "_hold_up_to",
        "_sink",
        "_taken",
        "_waiter",
        "bounds",
        "chunks",
        "complete",
        "error",
        "held",
        "length",
        "room",
        "size",
    )

    def __init__(self, flow: Flow, bounds: Bounds, length: int | None) -> None:
        self._flow = flow
        self.bounds = bounds
        self._hold_up_to = bounds.hold
        self._sink: Sink | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.room: Allowance = bounds.budget  # what is held is taken from it
        self._taken = 0  # bytes taken from it: at least ``held``
        self.chunks: list[bytes] = []
        self.held = 0  # bytes in chunks
        self.size = 0  # bytes received
        self.length = length  # as declared; None: chunked
        self.complete = False
        self.error: PenstockError | None = None

    # What the line asks

    def whole(self) -> bytes | None:
        """The body, if all of it is here and held."""
        if not self.complete or self.size > self._hold_up_to:
            return None
        if len(self.chunks) != 1:
            self.chunks = [b"".join(self.chunks)]
        return self.chunks[0]

    def kept(self) -> bytes | None:
        """What the log may store: the body as far as it came; None where it outgrew the limit."""
        return b"".join(self.chunks) if self.size <= self.bounds.keep and self.rewindable() else None

    def rewindable(self) -> bool:
        """Whether all that came is still here, so that it can be sent once more."""
        return self.held == self.size

    @property
    def held_back(self) -> bool:
        """Whether it waits here until it is whole, and nobody takes it yet."""
        return self._sink is None and not self.complete

    def charge(self, room: Allowance) -> None:
        """Takes what is held, now and later, from ``room``. Raises Overloaded where that has no room."""
        taken, self._taken = self._taken, 0
        self.room.give(taken)
        self.room = room
        if taken and not self.reserve(taken):
            self.chunks, self.held = [], 0
            raise Overloaded(_FULL)

    def reserve(self, size: int) -> bool:
        """Takes room for so many bytes more, until ``release``; False: there is none."""
        if not self.room.try_take(size, small=max(self._taken + size, self.length or 0) <= SMALL):
            return False
        self._taken += size
        return True

    def hold(self, size: int) -> None:
        """Holds it whole up to ``size``, where there is room for all of it. To be called before ``ready``."""
        if self.length is None:
            self._hold_up_to = max(size, self.bounds.hold)
        elif self.bounds.hold < self.length <= size and self.reserve(self.length - self._taken):
            self._hold_up_to = self.length
        if self.bounds.hold < self.size <= self._hold_up_to:
            self._flow.resume()  # it was too large until now

    async def ready(self) -> None:
        """Returns when the body is complete or too large to hold. Raises what went wrong while it came."""
        if self.error is not None:
            raise self.error
        if self.complete:
            return
        if self.length is not None and self.length > self.bounds.limit:
            raise self._too_large()
        self._flow.proceed()
        while not self.complete and self.size <= self._hold_up_to and self.error is None:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        if self.error is not None:
            raise self.error

    def send_to(self, sink: Sink) -> None:
        """Streams: what is here at once, the rest as it comes."""
        self._sink = sink
        for chunk in self.chunks:
            sink.on_frame(chunk)
        if self.error is not None:  # it broke off before anybody took it
            sink.on_error(self.error)
        elif self.complete:
            sink.on_end()
        else:
            self._flow.resume()

    def pause(self) -> None:
        """The sink cannot take more for now."""
        if not self.complete:
            self._flow.pause()

    def resume(self) -> None:
        if not self.complete:
            self._flow.resume()

    # What the ingress tells

    def feed(self, data: bytes) -> None:
        self.size += len(data)
        if self.error is not None:
            return
        if self.size > self.bounds.limit:
            self.fail(self._too_large())
        elif self._sink is None:
            self._hold(data)
        else:
            self._pass(data, self._sink)

    def finish(self) -> None:
        self.complete = True
        if self._sink is not None and self.error is None:
            self._sink.on_end()
        self._wake()

    def fail(self, error: PenstockError) -> None:
        """The client stopped sending, sent too much, or too slowly."""
        if self.complete or self.error is not None:
            return
        self.error = error
        if self._sink is not None:
            self._sink.on_error(error)
        self._wake()

    def release(self) -> None:
        """Gives back what was taken. The body is not used afterwards."""
        self._drop()
        self._sink = None

    def _too_large(self) -> PenstockError:
        return BodyTooLarge(f"The request body is larger than {self.bounds.limit} bytes.")

    def _hold(self, data: bytes) -> None:
        if not self._keep(data):
            self.fail(Overloaded(_FULL))
            return
        if self.size > self._hold_up_to:
            self._flow.pause()
            self._wake()

    def _pass(self, data: bytes, sink: Sink) -> None:
        """Streams on; keeps a copy for the log while the body is small enough and memory allows."""
        if self.size <= self.bounds.keep and self.held + len(data) == self.size:
            if not self._keep(data):
                self._drop()
        elif self.chunks:
            self._drop()
        sink.on_frame(data)

    def _keep(self, data: bytes) -> bool:
        """False: there is no room for it."""
        held = self.held + len(data)
        if held > self._taken and not self.reserve(held - self._taken):
            return False
        self.held = held
        chunks = self.chunks
        if chunks and len(chunks[-1]) + len(data) <= _PIECE:
            chunks[-1] += data
        else:
            chunks.append(data)
        return True

    def _drop(self) -> None:
        self.room.give(self._taken)
        self.chunks, self.held, self._taken = [], 0, 0

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class _NoFlow:
    """Nobody sends more."""

    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def proceed(self) -> None: ...


_NO_FLOW = _NoFlow()


def empty() -> RequestBody:
    """The body of a request of ours that has none."""
    body = RequestBody(_NO_FLOW, Bounds(hold=0, keep=0, limit=0, budget=Budget(0)), 0)
    body.finish()
    return body


def held(data: bytes, like: RequestBody) -> RequestBody:
    """A body that is all here, within the bounds and the room of another. Raises Overloaded where that has none."""
    body = RequestBody(_NO_FLOW, like.bounds, len(data) or None)
    body.room = like.room
    body.hold(len(data))
    if data:
        body.feed(data)
    body.finish()
    if body.error is not None:
        body.release()
        raise body.error
    return body


_FULL = "The gateway holds as many request bytes as it may; try again."
_PIECE = 4096  # bytes up to which small pieces are put together: each by itself would take many times its size
