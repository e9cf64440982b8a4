"""A call's steps, one after another, until one answers."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

from penstock.core.errors import AllStepsFailed, PenstockError
from penstock.gateway.compile import CompiledGateway
from penstock.model.exchange import Exchange
from penstock.model.failure import leads_on
from penstock.model.peek import Look
from penstock.model.reply import Reply
from penstock.model.step import Step
from penstock.providers.sentence import sentence
from penstock.wire.encodings import decoder

Attempt = Callable[[Step, CompiledGateway], Awaitable[Reply]]


async def run(ex: Exchange, gw: CompiledGateway, attempt: Attempt) -> Reply:
    """The answer of the first step that has one; where all fail, the last error of a provider.

    Raises what ends the call, and AllStepsFailed where no provider answered at all.
    """
    assert ex.itinerary is not None
    return await proceed(ex, await ex.itinerary.first(ex), gw, attempt)


async def proceed(ex: Exchange, step: Step, gw: CompiledGateway, attempt: Attempt) -> Reply:
    """The same, of a call whose first step is there."""
    if step.last:
        return await _take(step, gw, attempt)
    return await _in_turn(ex, step, gw, attempt)


async def _take(step: Step, gw: CompiledGateway, attempt: Attempt) -> Reply:
    if step.error is not None:
        raise step.error
    return await attempt(step, gw)


async def _in_turn(ex: Exchange, step: Step, gw: CompiledGateway, attempt: Attempt) -> Reply:
    best = _Best()
    while True:
        outcome = await _outcome(step, gw, attempt)
        failed = leads_on(outcome)
        if not failed and not isinstance(outcome, Reply):
            await best.drop()
            raise outcome
        following = await _following(ex, step, outcome)
        if not failed and following is None and isinstance(outcome, Reply):
            await best.drop()
            return outcome
        await best.take(step, outcome, good=not failed)
        if following is None:
            return await best.answer(ex, ex.itinerary.exhausted() if ex.itinerary else None)
        ex.step = step = following
        ex.steps.append(step)


class _Best:
    """The last answer that came while later steps run: the call's, if nothing better comes. An error is one, too,
    but gives way to any other.
    """

    __slots__ = ("_failures", "_spare")

    def __init__(self) -> None:
        self._spare: _Spare | None = None
        self._failures: list[str] = []

    async def take(self, step: Step, outcome: Reply | PenstockError, *, good: bool) -> None:
        """A step has ended, and another follows, or none does."""
        if not good:
            self._failures.append(f"{step.request.provider[:_SHOWN]}: {_why(outcome)}"[:_LONG])
        if not isinstance(outcome, Reply):
            _end(step)
        elif not good and self._spare is not None and self._spare.good:
            await _Spare(step, outcome, good=False).end()
        else:
            await self.drop()
            self._spare = _Spare(step, outcome, good=good)

    async def drop(self) -> None:
        """Something better came."""
        if self._spare is not None:
            await self._spare.end()
            self._spare = None

    async def answer(self, ex: Exchange, error: PenstockError | None) -> Reply:
        """What there is. Raises ``error``, or AllStepsFailed, where there is nothing."""
        if error is not None and (self._spare is None or not self._spare.good):
            if self._spare is not None and (said := await self._spare.said()):
                error.message += f" {self._spare.step.request.provider} said: {said}"
            await self.drop()
            raise error
        if self._spare is None:
            raise AllStepsFailed(f"{AllStepsFailed.__doc__}: {'; '.join(self._failures)}")
        ex.step = self._spare.step
        return self._spare.taken()


async def _following(ex: Exchange, step: Step, outcome: Reply | PenstockError) -> Step | None:
    """None also where the client has left: others waited for this step's answer."""
    assert ex.itinerary is not None
    if ex.client_gone:
        return None
    if leads_on(outcome):
        return await ex.itinerary.after(step, _why(outcome))
    return await ex.itinerary.then(step)


def _why(outcome: Reply | PenstockError) -> str:
    return f"status {outcome.status}" if isinstance(outcome, Reply) else outcome.message


class _Spare:
    """A provider's answer, while later steps run. Holds the beginning of its body, and pauses the provider then.

    When the step ends, what came of the body goes to the step's row.
    """

    __slots__ = ("_look", "_reply", "good", "step")

    def __init__(self, step: Step, reply: Reply, *, good: bool) -> None:
        self.step = step
        self.good = good  # an answer that may yet be the call's, not an error
        self._reply = reply
        self._look: Look | None = Look(reply.body, _HELD)
        reply.body.send_to(self._look)
        step.defer(self._tell)

    async def said(self) -> str:
        """The provider's words in the body of an error; empty: there are none, or they do not come in time."""
        look, decode = self._look, decoder(self._reply.header(b"content-encoding") or b"", _HELD)
        if look is None or decode is None:
            return ""
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await look.ended
        said = " ".join(sentence(decode.feed(b"".join(look.frames)[:_HELD])).split())
        return said if len(said) <= _TOLD else f"{said[: _TOLD - 1]}…"

    def taken(self) -> Reply:
        """The reply, its body as it was."""
        look, self._look = self._look, None
        assert look is not None
        self._reply.body.put_back(look.frames)
        self._reply.body.resume()
        return self._reply

    async def end(self) -> None:
        """Another step is the call's answer. The row of this one waits until what came of its body is read."""
        self._tell(self.step)
        if (rest := self.step.reading.rest()) is not None:
            await rest
        _end(self.step)

    def _tell(self, step: Step) -> None:
        look, self._look = self._look, None
        for frame in look.frames if look is not None else ():
            step.reading.feed(frame)


def _end(step: Step) -> None:
    """The call goes on without this step. What fails on the way is told when the call ends."""
    for failure in step.close():
        step.ex.defer(partial(_fail, failure))


def _fail(failure: BaseException, _: Exchange) -> None:
    raise failure


_HELD = 16 * 1024  # bytes of an error's body


_PATIENCE = 1.0  # seconds for it to come
_TOLD = 300  # characters of what a provider says
_LONG = 160  # characters of what is said of one step
_SHOWN = 64  # characters of a provider's name that a client chose


async def _outcome(step: Step, gw: CompiledGateway, attempt: Attempt) -> Reply | PenstockError:
    try:
        return await _take(step, gw, attempt)
    except PenstockError as error:
        step.error = error.with_traceback(None)  # its frames hold this call: a circle for the collector
        return step.error
    finally:
        step.ended = time.monotonic()
