"""A call's steps, one after another, until one answers."""

import time
from collections.abc import Awaitable, Callable

from penstock.core.errors import AllStepsFailed, PenstockError
from penstock.gateway.compile import CompiledGateway
from penstock.model.exchange import Exchange
from penstock.model.failure import leads_on
from penstock.model.reply import Reply
from penstock.model.step import Step

Attempt = Callable[[Step, CompiledGateway], Awaitable[Reply]]


async def run(ex: Exchange, gw: CompiledGateway, attempt: Attempt) -> Reply:
    """The answer of the first step that has one; where all fail, the last error of a provider.

    Raises what ends the call, and AllStepsFailed where no provider answered at all.
    """
    assert ex.itinerary is not None
    step = ex.itinerary.first(ex)
    if step.last:
        return await _take(step, gw, attempt)
    return await _in_turn(ex, step, gw, attempt)


async def _take(step: Step, gw: CompiledGateway, attempt: Attempt) -> Reply:
    if step.error is not None:
        raise step.error
    return await attempt(step, gw)


async def _in_turn(ex: Exchange, step: Step, gw: CompiledGateway, attempt: Attempt) -> Reply:
    assert ex.itinerary is not None
    spare: Step | None = None  # the last that a provider answered with an error: the call's, if nothing better comes
    failures: list[str] = []
    while True:
        outcome = await _outcome(step, gw, attempt)
        failed = leads_on(outcome)
        if spare is not None and (isinstance(outcome, Reply) or not failed):
            _end(spare)
            spare = None
        if isinstance(outcome, Reply):
            if not failed:
                return outcome
            spare = step
        elif not failed:
            raise outcome
        else:
            failures.append(f"{step.request.provider[:_SHOWN]}: {outcome.message}")
            _end(step)
        following = ex.itinerary.after(step)
        if following is None:
            break
        ex.step = step = following
        ex.steps.append(step)
    if spare is None:
        raise AllStepsFailed(f"{AllStepsFailed.__doc__}: {'; '.join(failures)}"[:_LONG])
    assert spare.reply is not None
    ex.step = spare
    return spare.reply


def _end(step: Step) -> None:
    """The call goes on without this step. What its provider has said already is for its row."""
    reply = step.reply
    if reply is not None:
        for frame in reply.body.frames:
            step.reading.feed(frame)
    for failure in step.close():
        raise failure


_LONG = 1000  # characters of a message
_SHOWN = 64  # characters of a provider's name that a client chose


async def _outcome(step: Step, gw: CompiledGateway, attempt: Attempt) -> Reply | PenstockError:
    try:
        return await _take(step, gw, attempt)
    except PenstockError as error:
        step.error = error.with_traceback(None)  # its frames hold this call: a circle for the collector
        return step.error
    finally:
        step.ended = time.monotonic()
