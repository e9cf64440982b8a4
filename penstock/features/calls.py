"""Asks a step's target, as often as the step's options say, until it answers.

Writes ``attempts``, ``answered``, ``reply`` and ``first_byte``. What is tried again, and when, is in
``model.retrying``; how often in all, in ``core.retry_budget``. Where no more is tried, the last head is the answer,
also an error of the provider, relayed as it is; where there was none, the last failure. Nothing is tried again once a
byte went out.

A body that streamed to a target which then failed goes out again only as long as all of it is still held.
"""

import asyncio
import random
import time
from typing import Protocol

from penstock.core import instants
from penstock.core.errors import KeyLimited, ProviderFailure, ProviderTimeout
from penstock.core.retry_budget import RetryBudget
from penstock.core.telemetry import Telemetry
from penstock.model.credential import StoredKey
from penstock.model.outgoing import Outgoing
from penstock.model.peek import peek
from penstock.model.plan import Attempt, Target
from penstock.model.reply import Reply
from penstock.model.retrying import delay, forbids, may_pass
from penstock.model.step import Step
from penstock.ports.transport import Transport
from penstock.providers.compose import outgoing
from penstock.wire.encodings import decoder
from penstock.wire.retry_after import retry_after, retry_delay, spent

_WITHHELD = "not tried again: of the provider's last calls as many were tried again as may be"
_STALE = "sent again: the provider had closed this idle connection before it can have read the request"
_EXPLAINED = frozenset({429, 503})  # whose bodies may say when to try again, or that the account has nothing left
_PEEK = 16 * 1024  # bytes of an error that are looked at, and
_PATIENCE = 1.0  # seconds that are waited for them
_NOT_HELD = "not tried again: the request body was too large to be held"


class Gate(Protocol):
    """What watches attempts that have a stored key (``features.key_gate``)."""

    async def admit(self, key: StoredKey) -> None:
        """Before each attempt. Raises KeyLimited."""
        ...

    def saw(self, key: StoredKey, status: int) -> None:
        """After each that was answered."""
        ...


class Calls:
    """``first_byte``: seconds that a provider may take to the first byte of its answer."""

    def __init__(
        self, transport: Transport, first_byte: float, budget: RetryBudget, telemetry: Telemetry, gate: Gate
    ) -> None:
        self._transport = transport
        self._first_byte = first_byte
        self._budget = budget
        self._telemetry = telemetry
        self._gate = gate

    async def run(self, step: Step) -> Reply:
        """The answer, its head here and its body coming. Raises what the last attempt failed with."""
        retry, target, made, wait = step.options.retry, step.target, 0, 0.0
        assert target is not None
        if (key := _stored_key(step)) is not None:
            await self._gate.admit(key)
        self._budget.call(target.origin)
        while True:
            made += 1
            limit = step.options.timeout
            if limit is not None and made == retry.attempts and step.is_last_resort():
                limit = None
            outcome = await self._once(step, target, wait, limit)
            if made == retry.attempts or not may_pass(outcome):
                return self._ended(step, outcome)
            step.request.body.pause()  # what came is sent again, and what comes must not pass before that
            asked, refusal = None, ""
            if isinstance(outcome, Reply):
                asked, refusal = await self._advice(step, outcome)
            if refusal:
                step.warnings.append(f"not tried again: {refusal}")
            if refusal or not await self._may_go_on(step, target):
                step.request.body.resume()
                return self._ended(step, outcome)
            if step.flight is not None:
                step.flight.refuse()  # whoever asks the same waits for one attempt, and not for this call's retries
            if isinstance(outcome, Reply):
                outcome.body.close()
            wait = await self._wait(step, delay(retry, made, asked, random.random()))  # noqa: S311  nobody gains by a guess

    async def _advice(self, step: Step, reply: Reply) -> tuple[float | None, str]:
        """What an error says of another try: the seconds to wait, and why there should be none."""
        asked = retry_after(reply.header, instants.now())
        refusal = forbids(reply.header(b"x-should-retry"), asked)
        if refusal or reply.status not in _EXPLAINED:
            return asked, refusal
        began = time.monotonic()
        try:
            body = await _beginning(reply)
        except BaseException:
            reply.body.close()
            raise
        finally:
            step.waited += time.monotonic() - began
        asked = retry_delay(body) if asked is None else asked
        return asked, forbids(None, asked, spent(body))

    async def _wait(self, step: Step, seconds: float) -> float:
        """Returns how long it was. A client that leaves, or a stop, ends it."""
        began = time.monotonic()
        try:
            await asyncio.sleep(seconds)
            return time.monotonic() - began
        finally:
            step.waited += time.monotonic() - began

    async def _once(self, step: Step, target: Target, waited: float, limit: float | None) -> Reply | ProviderFailure:
        """One attempt; ``limit``: the client's, in seconds to the first byte, connecting included."""
        began = time.monotonic()
        attempt = Attempt(target.provider, target.origin.host, (began - step.ex.started) * 1000)
        attempt.waited = waited * 1000 or None
        step.attempts.append(attempt)
        sent = outgoing(step)
        sent.again()
        try:
            reply = await self._send(sent, limit)
        except ProviderFailure as error:
            attempt.error, attempt.reason = error.message, error.reason or None
            return error.with_traceback(None)  # its frames hold this call: a circle for the collector
        finally:  # also where the client leaves meanwhile: the wait is not our own time
            attempt.duration = (time.monotonic() - began) * 1000
            if sent.stale is not None:
                step.attempts.insert(-1, _stale(attempt, sent.stale * 1000))
        attempt.status, attempt.reused = reply.status, reply.body.reused
        if (key := _stored_key(step)) is not None:
            self._gate.saw(key, reply.status)
        return reply

    async def _send(self, sent: Outgoing, limit: float | None) -> Reply:
        if limit is None:
            return await self._transport.send(sent, self._first_byte)
        if sent.stream is not None:  # the time that the client takes to send it does not count
            return await self._transport.send(sent, min(limit, self._first_byte))
        try:
            async with asyncio.timeout(limit):
                return await self._transport.send(sent, self._first_byte)
        except TimeoutError:
            raise ProviderTimeout from None

    def _ended(self, step: Step, outcome: Reply | ProviderFailure) -> Reply:
        """The last attempt's outcome is the step's. Raises it, if it is a failure."""
        if not isinstance(outcome, Reply):
            raise outcome
        step.defer(outcome.body.close)
        step.answered, step.reply = True, outcome
        step.first_byte = step.ex.started + (step.attempts[-1].began + step.attempts[-1].duration) / 1000
        return outcome

    async def _may_go_on(self, step: Step, target: Target) -> bool:
        """Whether there may be a further attempt, which then counts; the row says why not."""
        if not step.request.body.rewindable():
            step.warnings.append(_NOT_HELD)
            return False
        if not self._budget.take(target.origin):
            self._telemetry.retries_withheld.add((target.provider,))
            step.warnings.append(_WITHHELD)
            return False
        if (key := _stored_key(step)) is not None:
            try:
                await self._gate.admit(key)
            except KeyLimited as error:
                step.warnings.append(f"not tried again: {error.message}")
                return False
        self._telemetry.retries.add((target.provider,))
        return True


def _stored_key(step: Step) -> StoredKey | None:
    return None if step.credential is None else step.credential.key


def _stale(attempt: Attempt, passed: float) -> Attempt:
    """The attempt on a pooled connection that had been closed, cut off from the one that followed; milliseconds."""
    first = Attempt(attempt.provider, attempt.host, attempt.began, passed, None, _STALE, attempt.waited, reused=True)
    attempt.began += passed
    attempt.duration -= passed
    attempt.waited = None
    return first


async def _beginning(reply: Reply) -> bytes:
    """The first bytes of an answer, decoded."""
    decode = decoder(reply.header(b"content-encoding") or b"", _PEEK)
    return decode.feed((await peek(reply.body, _PEEK, _PATIENCE))[:_PEEK]) if decode is not None else b""
