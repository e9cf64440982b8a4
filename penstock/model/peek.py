"""A look at the beginning of an answer's body, which stays as it was."""

import asyncio

from penstock.core.errors import PenstockError
from penstock.model.reply import Body


async def peek(body: Body, limit: int, seconds: float) -> bytes:
    """The first bytes of a body as they came: about ``limit``, fewer where it ends, breaks or pauses before."""
    look = Look(body, limit)
    body.send_to(look)
    try:
        async with asyncio.timeout(seconds):
            await look.ended
    except TimeoutError:
        pass
    finally:
        body.put_back(look.frames)
    body.resume()
    return b"".join(look.frames)


class Look:
    """Takes frames until there are enough, and pauses the provider then."""

    __slots__ = ("_body", "_left", "ended", "frames")

    def __init__(self, body: Body, limit: int) -> None:
        self._body = body
        self._left = limit
        self.frames: list[bytes] = []
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def on_frame(self, data: bytes) -> None:
        self.frames.append(data)
        self._left -= len(data)
        if self._left <= 0:
            self._body.pause()
            self.on_end()

    def on_end(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    def on_error(self, error: PenstockError) -> None:
        self.on_end()
