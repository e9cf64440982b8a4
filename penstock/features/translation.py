"""Between the dialects of client and provider, where they differ: the request on its way there, the answer on its way
back. Before it the line sees the provider's answer (the meter), behind it the client's (guards, log, cache).

Writes ``decisions.translation``.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from penstock.core.budget import SMALL, Allowance, Budget
from penstock.core.errors import Overloaded, PenstockError, ProviderBroke
from penstock.core.headers import Headers
from penstock.model.decision import TranslationDecision
from penstock.model.reply import UNREAD, Body, Reply, Stage
from penstock.model.step import Step
from penstock.providers.compose import outgoing
from penstock.providers.fetching import Fetching
from penstock.providers.translating import Translation
from penstock.wire.framing import cutter_of
from penstock.wire.sse import CAP

_T = TypeVar("_T")
_MANY = 64 * 1024  # bytes that are translated in one go: a few milliseconds at most
LARGEST = 25 << 20  # bytes of an answer that is translated whole
_GOOD = range(200, 300)
_STALE = frozenset({b"content-type", b"content-length", b"content-encoding", b"content-md5", b"digest", b"etag"})


class Translating:
    """The stage on the line. ``budget``: bytes that all answers together may hold."""

    def __init__(self, budget: Budget, fetching: Fetching) -> None:
        self._budget = budget
        self._fetching = fetching
        self._thread = ThreadPoolExecutor(2, "translation")  # so few long bodies at a time are held more than once

    async def request(self, step: Step) -> None:
        """Before the call. Raises MalformedChat for what the provider's dialect cannot say."""
        translation: Translation | None = step.translation
        if translation is None:
            return
        assert step.target is not None
        sent, asked = outgoing(step), step.request.asked
        ask_usage = step.target.endpoint.ask_usage
        told = await self._made(len(sent.body), translation.read, sent.body)
        if self._fetching.on and translation.only_bytes:
            await self._fetching.fill(told, translation.only_bytes)
        write = partial(translation.write, stream=asked.stream, ask_usage=ask_usage)
        sent.body, lost = await self._made(len(sent.body), write)
        if not step.request.body.reserve(len(sent.body)):
            raise Overloaded("The gateway holds as many request bytes as it may; try again.")
        sent.put(b"content-type", b"application/json")
        sent.put(b"accept-encoding", b"identity")  # the answer will be read and changed on the way back
        step.decisions.translation = TranslationDecision(translation.client, translation.provider, [*lost])
        if lost:
            step.warnings.append(f"not translated, as {translation.provider} has no place for it: {', '.join(lost)}")

    async def reply(self, step: Step, reply: Reply) -> Reply:
        """After it. Raises ProviderBroke for an answer that cannot be read."""
        translation: Translation | None = step.translation
        if translation is None or not step.answered:
            return reply
        if reply.header(b"content-encoding") not in (None, b"identity"):
            raise ProviderBroke("The provider encoded its answer against our wish, so it could not be translated.")
        cutter = cutter_of(reply.header(b"content-type") or b"")
        reply.changed = True
        reply.length = None
        if reply.status not in _GOOD:
            reply.put(_Failure(translation, reply.status), changes=True)
            reply.headers = _headers(reply.headers, b"application/json")
        elif cutter is not None:
            reply.put(translation.stream(cutter(CAP)), changes=True)
            reply.headers = _headers(reply.headers, b"text/event-stream")
        else:
            room = self._budget.share(step.request.account, step.ex.gateway.number)
            gathered = _Gather(reply, room)
            step.defer(gathered.close)
            reply.body.send_to(gathered)
            whole = await gathered.whole  # so that what cannot be translated is an error and no broken answer
            _put(reply, await self._made(len(whole), translation.answer, whole))
            reply.headers = _headers(reply.headers, b"application/json")
        return reply

    async def _made(self, size: int, work: Callable[..., _T], *given: bytes) -> _T:
        """What ``work`` makes of so many bytes: of many, in a thread, so that other calls go on meanwhile."""
        if size <= _MANY:
            return work(*given)
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *given)


def _headers(headers: Headers, kind: bytes) -> Headers:
    kept = [header for header in headers if header[0] not in _STALE]
    return [*kept, (b"content-type", b"content-type", kind)]


def _put(reply: Reply, told: bytes) -> None:
    """Another body, which is all here."""
    body = Body()
    body.frames, body.complete = [told], True
    reply.body, reply.source, reply.stages, reply.reading = body, body, [], UNREAD
    reply.length = len(told)
    reply.gathered = True


class _Gather:
    """Takes a whole body, through the stages that the reply has by now."""

    __slots__ = ("_frames", "_reply", "_room", "_size", "whole")

    def __init__(self, reply: Reply, room: Allowance) -> None:
        self._reply = reply
        self._room = room
        self._frames: list[bytes] = []
        self._size = 0
        self.whole: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def on_frame(self, data: bytes) -> None:
        for stage in self._reply.stages:
            data = stage.feed(data)
        size = len(data)
        if self.whole.done():
            return
        if self._size + size > LARGEST:
            self.on_error(ProviderBroke(f"The provider's answer has more than {LARGEST} bytes: too many to translate."))
        elif not self._room.try_take(size, small=self._size + size <= SMALL):
            self.on_error(Overloaded("The gateway holds as many bytes of answers as it may; try again."))
        else:
            self._size += size
            self._frames.append(data)

    def on_end(self) -> None:
        if not self.whole.done():
            for stage in self._reply.stages:
                self._frames.append(stage.end())
            self.whole.set_result(b"".join(self._frames))

    def on_error(self, error: PenstockError) -> None:
        if not self.whole.done():
            self.whole.set_exception(error)

    def close(self, _: object = None) -> None:
        """The step has ended."""
        self._room.give(self._size)
        self._size, self._frames = 0, []


class _Failure(Stage):
    """Holds the body of a provider's error back, and tells it in the client's dialect."""

    __slots__ = ("_held", "_status", "_translation")

    def __init__(self, translation: Translation, status: int) -> None:
        self._translation = translation
        self._status = status
        self._held = bytearray()

    def feed(self, data: bytes) -> bytes:
        self._held += data[: _MOST - len(self._held)]
        return b""

    def end(self) -> bytes:
        return self._translation.failure(self._status, bytes(self._held))


_MOST = 64 * 1024  # bytes of an error that are read
