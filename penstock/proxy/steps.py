"""A call's steps, one after another, until one answers."""

import time
from collections.abc import Awaitable, Callable
from functools import partial

from penstock.core.errors import AllStepsFailed, PenstockError
from penstock.gateway.compile import CompiledGateway
from penstock.model.exchange import Exchange
from penstock.model.failure import leads_on
from penstock.model.peek import Look
from penstock.model.reply import Reply
from penstock.model.step import Step

Attempt = Callable[[Step, CompiledGateway], Awaitable[Reply]]


async def run(ex: Exchange, gw: CompiledGateway, attempt: Attempt) -> Reply:
    """The answer of the first step that has one; where all fail, the last error of a provider.

    Raises what ends the call, and AllStepsFailed where no provider answered at all.
    """
    assert ex.itinerary is not None
    step = await ex.itinerary.first(ex)
    if step.last:
        return await _take(step, gw, attempt)
    return await _in_turn(ex, step, gw, attempt)


async def _take(step: Step, gw: CompiledGateway, attempt: Attempt) -> Reply:
    if step.error is not None:
        raise step.error
    return await attempt(step, gw)


async def _in_turn(ex: Exchange, step: Step, gw: CompiledGateway, attempt: Attempt) -> Reply:
    assert ex.itinerary is not None
    spare: _Spare | None = None  # the last that a provider answered with an error: the call's, if nothing better comes
    failures: list[str] = []
    while True:
        outcome = await _outcome(step, gw, attempt)
        failed = leads_on(outcome)
        if spare is not None and (isinstance(outcome, Reply) or not failed):
            await spare.end()
            spare = None
        if isinstance(outcome, Reply):
            if not failed:
                return outcome
            spare = _Spare(step, outcome)
        elif not failed:
            raise outcome
        else:
            failures.append(f"{step.request.provider[:_SHOWN]}: {outcome.message}"[:_LONG])
            _end(step)
        following = None if ex.client_gone else ex.itinerary.after(step)  # gone: others waited for this step's answer
        if following is None:
            break
        ex.step = step = following
        ex.steps.append(step)
    if spare is None:
        raise AllStepsFailed(f"{AllStepsFailed.__doc__}: {'; '.join(failures)}")
    ex.step = spare.step
    return spare.taken()


class _Spare:
    """A provider's error, while later steps run. Holds the beginning of its body, and pauses the provider then.

    When the step ends, what came of the body goes to the step's row.
    """

    __slots__ = ("_look", "_reply", "step")

    def __init__(self, step: Step, reply: Reply) -> None:
        self.step = step
        self._reply = reply
        self._look: Look | None = Look(reply.body, _HELD)
        reply.body.send_to(self._look)
        step.defer(self._tell)

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
