"""A cached answer without its content coding, for a client that does not take it."""

import asyncio

from penstock.core.budget import Share
from penstock.core.errors import Overloaded, PenstockError, ProviderBroke
from penstock.model.body import Sink
from penstock.model.reply import GO, Body, Reply
from penstock.model.step import Step
from penstock.wire.encodings import Decoder, acceptable, decoder

_TAKE = 512  # bytes that one step of the decoder counts as at least, so that empty ones end as well
_STEP = 1 << 16  # bytes of a decoder's memory that are taken in one go


def in_coding(step: Step, reply: Reply, room: Share) -> Reply | None:
    """The reply in a coding that the client takes; None: there is none, or no room to decode it.

    A small answer is decoded at once, a larger one as its client reads: what is decoded and not yet read is taken from
    ``room`` until the call ends.
    """
    coding = b", ".join([value for lower, _, value in reply.headers if lower == b"content-encoding"])
    if not coding or acceptable(coding, step.request.header(b"accept-encoding")):
        return reply
    decode = decoder(coding)
    if decode is None:
        return None
    body = _whole(reply.body, decode)
    if decode.failed:
        return None
    if body is None:
        decode = decoder(coding)
        if decode is None or not room.try_take(GO):
            return None
        body = Decoded(reply.body, decode, room)
        step.defer(body.settle)
    headers = [header for header in reply.headers if header[0] != b"content-encoding"]
    return Reply(reply.status, reply.reason, headers, body)


def _whole(coded: Body, decode: Decoder) -> Body | None:
    """A body that is all here, decoded; None: it is not, or becomes more than GO bytes."""
    if not coded.complete:
        return None
    parts: list[bytes] = []
    size = 0
    for frame in coded.frames:
        decode.put(frame)
        while (part := decode.take()) is not None:
            parts.append(part)
            size += len(part)
            if size > GO:
                return None
    body = Body()
    body.frames, body.complete = parts, True
    return body


class Decoded(Body):
    """Decodes another body as its reader takes it: at most GO bytes, and a bounded piece of work, in one turn of the
    loop, and nothing while the reader is slow.
    """

    __slots__ = ("_coded", "_decode", "_due", "_ended", "_room", "_slow", "_taken", "_waits")

    def __init__(self, coded: Body, decode: Decoder, room: Share) -> None:
        """``room``: GO bytes of it are taken."""
        super().__init__()
        self._coded = coded
        self._decode = decode
        self._room = room
        self._taken = GO
        self._slow = False  # the reader is
        self._waits = False  # the coded body does, for what it gave to be decoded
        self._due = False  # another turn is asked for
        self._ended = False  # all of the coded body is here

    # The reader's side

    def send_to(self, sink: Sink) -> None:
        self._sink = sink
        self._coded.send_to(self)

    def pause(self) -> None:
        self._slow = True
        self._wait()

    def resume(self) -> None:
        self._slow = False
        self._go()

    def close(self, _: object = None) -> None:
        super().close()
        self._coded.close()

    def settle(self, _: object) -> None:
        """The call ends."""
        self.close()
        self._room.give(self._taken)
        self._taken = 0

    # The coded body's side

    def on_frame(self, data: bytes) -> None:
        self._decode.put(data)
        self._go()

    def on_end(self) -> None:
        self._ended = True
        self._go()

    def on_error(self, error: PenstockError) -> None:
        self.fail(error)

    def _go(self) -> None:
        if not self._due:
            self._turn()

    def _turn(self) -> None:
        self._due = False
        done = 0
        while self._sink is not None and not (self._slow or self.complete or self.error):
            part = self._decode.take()
            if part is None:
                self._dry()
                return
            if self._grow() and part:
                self._sink.on_frame(part)
            done += max(len(part), _TAKE)
            if done >= GO:
                self._due = True
                self._wait()
                asyncio.get_running_loop().call_soon(self._turn)
                return

    def _dry(self) -> None:
        """All that came is decoded."""
        if self._decode.failed:
            self.fail(ProviderBroke())
        elif self._ended:
            self.finish()
        elif self._waits:
            self._waits = False
            self._coded.resume()

    def _wait(self) -> None:
        self._waits = True
        self._coded.pause()

    def _grow(self) -> bool:
        """Takes the room for what the decoder keeps of its output. False, and the answer breaks: there is none."""
        more = self._decode.kept + GO - self._taken
        if more >= _STEP:
            if not self._room.try_take(more):
                self.fail(Overloaded("All answers together hold as many bytes as answer_memory allows."))
                return False
            self._taken += more
        return True
