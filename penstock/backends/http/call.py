"""One call on an upstream connection."""

import asyncio
from typing import Protocol

from penstock.core.errors import PenstockError
from penstock.core.headers import Headers
from penstock.model.body import RequestBody
from penstock.model.reply import Body, Reply

_ERROR = 400  # from here on a provider that answers amid a request wants no more of it


class Wire(Protocol):
    """The connection, as a call sees it."""

    def write(self, data: bytes) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def abort(self) -> None: ...


class UpstreamCall(Body):
    """Waits for the head, then is the answer's body. Lets go of the connection when the answer is complete.

    It is also the sink of a request body that streams through.
    """

    __slots__ = ("_chunked", "_refused", "_stream", "_waiter", "_wire", "heard", "method", "sent")

    def __init__(self, wire: Wire, method: bytes, stream: RequestBody | None) -> None:
        super().__init__()
        self.method = method
        self.sent = False  # the whole request is written
        self.heard = False  # at least one byte of an answer came
        self._wire: Wire | None = wire
        self._waiter: asyncio.Future[Reply] | None = None
        self._stream = stream
        self._chunked = stream is not None and stream.length is None
        self._refused = False  # the answer is an error that came before the whole request was sent

    async def head(self, loop: asyncio.AbstractEventLoop) -> Reply:
        """The reply, when its head is here. Raises what kept it from coming."""
        if self.error is not None:
            try:
                raise self.error
            finally:
                self.error = None  # it holds this frame, and that this: a circle
        waiter = self._waiter = loop.create_future()
        try:
            return await waiter
        finally:
            self._waiter = None  # it holds the reply, and the reply holds this

    def close(self, _: object = None) -> None:
        """Ends the call, whatever its state; a running answer costs the connection."""
        super().close()
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.abort()

    # Told by the client's side

    def pause(self) -> None:
        if self._wire is not None:
            self._wire.pause()

    def resume(self) -> None:
        if self._wire is not None:
            self._wire.resume()

    # Told by the connection

    def begin_reply(self, status: int, reason: bytes, headers: Headers, length: int | None) -> None:
        if status >= _ERROR and not self.sent:
            self._refused = True
            self.resume_request()
        if self._waiter is not None and not self._waiter.done():
            reply = Reply(status, reason, headers, self)
            reply.length = length
            self._waiter.set_result(reply)

    def finish(self) -> None:
        self._wire = None
        super().finish()

    def fail(self, error: PenstockError) -> None:
        self._wire = None
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)
        else:
            super().fail(error)

    def pause_request(self) -> None:
        if self._stream is not None:
            self._stream.pause()

    def resume_request(self) -> None:
        if self._stream is not None:
            self._stream.resume()

    # A request body that streams

    def on_frame(self, data: bytes) -> None:
        if self._wire is not None and not self._refused:
            self._wire.write(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)

    def on_end(self) -> None:
        if self._refused:
            return
        self.sent = True
        if self._wire is not None and self._chunked:
            self._wire.write(b"0\r\n\r\n")

    def on_error(self, error: PenstockError) -> None:
        """The client broke off its request: the provider must not take it for whole, and the client's error stands."""
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.abort()
        self.fail(error)
