"""What goes back to the client: a head, and a body that may still be coming."""

import asyncio
from typing import Protocol

from penstock.core.errors import PenstockError
from penstock.core.headers import Headers
from penstock.model.body import Sink

GO = 1 << 16  # bytes that are handed on in one go of what is here: then it shows whether the client reads


class Stage(Protocol):
    """A stage on the way of the answer's bytes: meter, guard, cache. Plain calls, one per frame."""

    def feed(self, data: bytes) -> bytes:
        """Takes a frame; returns what may go on now (``b""``: nothing yet)."""
        ...

    def end(self) -> bytes:
        """The answer is complete; returns what was held back."""
        ...


class Source(Protocol):
    """Where an answer comes from."""

    def pause(self) -> None: ...
    def resume(self) -> None: ...


class Reading(Protocol):
    """A stage that reads a stream from the side. ``dull`` is its verdict on the frame it saw last."""

    dull: bool  # whole events that say nothing of the call: most of a stream


class Unread(Reading):
    """Nobody does: any frame may say something."""

    dull = False


UNREAD = Unread()


class Body:
    """Frames of an answer: kept until somebody takes them, handed on at once from then on."""

    __slots__ = ("_sink", "complete", "error", "frames", "reused", "until_close")

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.complete = False
        self.error: PenstockError | None = None
        self.reused = False  # it comes over a connection that had served before
        self.until_close = False  # nothing but the end of its connection tells that it is whole
        self._sink: Sink | None = None

    def close(self, _: object = None) -> None:
        """Nobody wants the rest. What is here already holds nothing that must be ended."""
        self._sink = None  # it holds the exchange, and that this: a circle

    def pause(self) -> None:
        """The client reads slowly. What is here already needs no answer to that."""

    def resume(self) -> None:
        """It reads again."""

    def send_to(self, sink: Sink) -> None:
        frames, self.frames = self.frames, []
        self._sink = sink
        for frame in frames:
            sink.on_frame(frame)
        if self.complete:
            sink.on_end()
        elif self.error is not None:
            sink.on_error(self.error)

    def put_back(self, frames: list[bytes]) -> None:
        """Undoes ``send_to``: these were handed on, and are kept again for whoever takes them next."""
        self.frames, self._sink = frames, None

    def feed(self, data: bytes) -> None:
        if self._sink is None:
            self.frames.append(data)
        else:
            self._sink.on_frame(data)

    def finish(self) -> None:
        self.complete = True
        if self._sink is not None:
            self._sink.on_end()

    def fail(self, error: PenstockError) -> None:
        if not self.complete and self.error is None:
            self.error = error
            if self._sink is not None:
                self._sink.on_error(error)


class Replay(Body):
    """An answer that is all here, and goes out in its frames, no faster than its client reads."""

    __slots__ = ("_at", "_slow")

    def __init__(self, frames: list[bytes]) -> None:
        super().__init__()
        self.frames = frames
        self._at = 0  # the frame that is due next
        self._slow = False

    def send_to(self, sink: Sink) -> None:
        self._sink = sink
        self._pump()

    def pause(self) -> None:
        self._slow = True

    def resume(self) -> None:
        self._slow = False
        self._pump()

    def _pump(self) -> None:
        given = 0
        while self._sink is not None and not self._slow and self._at < len(self.frames):
            if given >= GO:
                asyncio.get_running_loop().call_soon(self._pump)
                return
            frame = self.frames[self._at]
            self._at += 1
            given += len(frame)
            self._sink.on_frame(frame)
        if self._sink is not None and self._at == len(self.frames) and not self.complete:
            self.finish()


class Reply:
    """Status, headers and body. ``stages`` see the body in order on its way out; ``reading`` is one of them, if any.

    ``source`` is what a client that reads slowly pauses.
    """

    __slots__ = ("body", "changed", "gathered", "headers", "length", "reading", "reason", "source", "stages", "status")

    def __init__(self, status: int, reason: bytes, headers: Headers, body: Body) -> None:
        self.status = status
        self.reason = reason
        self.headers = headers
        self.body = body
        self.source: Source = body
        self.length: int | None = None  # the body's length where it is known
        self.stages: list[Stage] = []
        self.changed = False  # by one of them; if not, the client's bytes are the provider's
        self.gathered = False  # the body is all here and new: the stages before have seen all of the provider's
        self.reading: Reading = UNREAD

    def put(self, stage: Stage, *, changes: bool = False) -> None:
        """Lets a stage see the body, after those before it. ``changes``: what goes on is not always what came."""
        self.stages.append(stage)
        if changes:
            self.changed = True

    def header(self, name: bytes) -> bytes | None:
        """The first value under a lower-case name."""
        for lower, _, value in self.headers:
            if lower == name:
                return value
        return None
