"""Answers from memory. A hit skips everything that follows on the line.

Decides ``cache``; writes ``flight`` and ``keeper``. What is kept is what went out to the client, byte for byte and
frame for frame, once it is complete, successful and let through by every stage; of its headers, those that describe the
body.

Of identical calls at the same time one goes to the provider, and the others follow it (``model.flight``); not where
its answer may not be kept: then each goes by itself.
"""

import asyncio
import time
from typing import Protocol

from penstock.core import instants
from penstock.core.budget import Share
from penstock.core.errors import ProviderTimeout
from penstock.features.cache.coding import in_coding
from penstock.features.cache.keeper import Keeper, Shelf, form
from penstock.model.decision import HIT, MISS, CacheDecision
from penstock.model.flight import Flight
from penstock.model.reply import GO, Body, Replay, Reply
from penstock.model.step import Step
from penstock.ports.cache_store import CachedAnswer
from penstock.providers.cacheability import may_be_cached, uses_state
from penstock.providers.compose import outgoing
from penstock.wire.cache_key import Digest, call_key, own_key, without_noise

_OWN_KEY_METHODS = frozenset({b"POST", b"GET"})
_SLICE = 1 << 20  # bytes of a body that are hashed in one go
_NANO = 1e9


class Cache(Protocol):
    """The stage on the line, before the call and after it."""

    def sees(self, step: Step) -> bool:
        """Whether the whole body is needed: for the key, or with one that the client brings, to be held at all."""
        ...

    async def lookup(self, step: Step) -> Reply | None:
        """The stored answer, if there is one, or that of an identical call which is running."""
        ...

    def capture(self, step: Step, reply: Reply) -> Reply:
        """Puts a stage on the answer's way that keeps it, once it is complete."""
        ...


class AnswerCache(Cache):
    """``streams``: they are cached too. Whether a call is cached at all is among its options."""

    def __init__(self, shelf: Shelf, *, streams: bool) -> None:
        self._shelf = shelf
        self._streams = streams

    def sees(self, step: Step) -> bool:
        options, request = step.options, step.request
        if not options.cache_ttl:
            return False
        assert step.target is not None
        return bool(options.cache_key) or may_be_cached(request.method, step.target.endpoint, request.query)

    async def lookup(self, step: Step) -> Reply | None:
        key = await self._key(step) if step.options.cache_ttl else None
        if key is None:
            return None
        decision = step.decisions.cache = CacheDecision(MISS, key.hex(), step.options.cache_ttl)
        if step.options.skip_cache:
            decision.skipped = True
        elif hit := await self._stored(step, key) or await self._shared(step, key):
            return hit
        step.keeper = keeper = Keeper(self._shelf, key, step)
        step.flight = keeper.flight
        step.defer(keeper.settle)
        return None

    def capture(self, step: Step, reply: Reply) -> Reply:
        if step.keeper is not None:
            step.keeper.begin(step, reply, streams=self._streams)
        return reply

    async def _key(self, step: Step) -> bytes | None:
        """None: such a call is not cached."""
        request, gateway, target = step.request, step.ex.gateway, step.target
        body = request.body.whole() if step.sends is None else step.sends
        if body is None:
            return None
        if (own := step.options.cache_key) is not None and not _has_list(step):
            known = request.method in _OWN_KEY_METHODS
            return own_key(gateway.number, gateway.cache_generation, own) if known else None
        assert target is not None
        sent = outgoing(step)
        if not may_be_cached(request.method, target.endpoint, sent.query):
            return None
        for stateful in uses_state(body):
            if stateful:
                return None
            if len(body) > _SLICE:
                await asyncio.sleep(0)
        place = (sent.method, sent.host, sent.path, sent.query)
        key = call_key(gateway.number, gateway.cache_generation, (*place, *_marks(step)), without_noise(sent.headers))
        if len(body) > _SLICE:
            await _update(key, body)
        else:
            key.update(body)
        return key.digest()

    async def _stored(self, step: Step, key: bytes) -> Reply | None:
        store = self._shelf.store
        answer = await store.read(key) if store.knows(key) else None
        if answer is None or (answer.stream and not self._streams) or not _fits(step, answer.form):
            return None
        size = answer.size if answer.stream else len(answer.frames[0])
        large = size > GO
        headers = [(name.lower(), name, value) for name, value in answer.headers]
        reply = Reply(answer.status, b"", headers, _body(answer, large=large))
        if large and not answer.stream:
            reply.length = size
        room = self._shelf.budget.share(step.request.account, step.ex.gateway.number)
        reply = in_coding(step, reply, room)
        if reply is None or (large and not _hold(step, room, size)):
            return None
        if not reply.body.complete:
            step.first_byte = time.monotonic()  # what follows is waited for
            step.defer(reply.body.close)
        age = max(0.0, (instants.now() - answer.made_at) / 1000)
        self._hit(step, reply, CacheDecision(HIT, key.hex(), step.options.cache_ttl, age))
        self._save(step, answer)
        return reply

    async def _shared(self, step: Step, key: bytes) -> Reply | None:
        flight = self._shelf.flights.get(key)
        if flight is None or self._shelf.store.outdated(key, flight.began) or not _fits(step, flight.form):
            return None
        if not await self._may_follow(step, flight):
            return None
        follower = flight.follow()
        step.defer(follower.close)
        reply = Reply(flight.status, b"", flight.headers, follower)
        reply.length = flight.length
        reply = in_coding(step, reply, self._shelf.budget.share(step.request.account, step.ex.gateway.number))
        if reply is None:
            follower.close()
            return None
        step.first_byte = time.monotonic()  # what follows is waited for
        self._hit(step, reply, CacheDecision(HIT, key.hex(), step.options.cache_ttl, 0.0, shared=True))
        step.defer(lambda step: self._followed(step, flight))
        return reply

    async def _may_follow(self, step: Step, flight: Flight) -> bool:
        """Waits for the leader's head, as long as the call would for a provider's. Raises ProviderTimeout."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(step.options.timeout):
                return await flight.head()
        except TimeoutError:
            if step.options.retry.attempts == 1 and not step.is_last_resort():
                raise ProviderTimeout from None
            return False  # it has attempts left, or one without a limit, and makes them itself
        finally:
            step.waited += time.monotonic() - began

    def _hit(self, step: Step, reply: Reply, decision: CacheDecision) -> None:
        step.decisions.cache, step.reply = decision, reply
        result = "shared" if decision.shared else "hit"
        self._shelf.telemetry.cache_lookups.add((step.request.account, step.request.gateway, result))

    def _followed(self, step: Step, flight: Flight) -> None:
        """The call that followed another ends, and what was found wrong with the answer holds for its row, too."""
        step.reported = flight.fault
        self._save(step, flight.answer)

    def _save(self, step: Step, answer: CachedAnswer | None) -> None:
        """Counts what a hit need not cost again; None: the call that it followed came to nothing."""
        telemetry, decision = self._shelf.telemetry, step.decisions.cache
        if answer is None or decision is None:
            return
        account, gateway = step.request.account, step.request.gateway
        decision.saved_tokens_in, decision.saved_tokens_out = answer.tokens_in, answer.tokens_out
        decision.saved_cost = None if answer.cost is None else answer.cost / _NANO
        telemetry.saved_tokens.add((account, gateway, "in"), answer.tokens_in)
        telemetry.saved_tokens.add((account, gateway, "out"), answer.tokens_out)
        telemetry.saved_cost.add((account, gateway), answer.cost or 0)


def _has_list(step: Step) -> bool:
    """Whether the caller may call some models alone. Under a key of the client's own may be an answer of any."""
    bearer = step.ex.caller.bearer
    if bearer is None or bearer.models is None:
        return False
    step.warnings.append("cf-aig-cache-key: ignored, as the token may call some models alone")
    return True


def _fits(step: Step, found: str) -> bool:
    """Whether an answer in that form is one of this step's. A key of the client's own is for all steps of a list, and
    ``cf-aig-step`` tells the client how to read what it gets; a call with one step gets whatever was kept.
    """
    alone = step.last and not step.index
    return alone or step.options.cache_key is None or found == form(step)


def _marks(step: Step) -> list[bytes]:
    """What an answer depends on beside what travels."""
    assert step.target is not None
    marks = [] if step.credential is None else [step.credential.mark]
    if step.target.upstream.mark:
        marks.append(step.target.upstream.mark)
    if step.translation is not None:  # its answer is for clients of that dialect
        marks += step.translation.marks(stream=step.request.asked.stream)
    if step.wraps:
        marks.append(b"envelope")
    return marks


async def _update(key: Digest, body: bytes) -> None:
    """Hashes a large body, and lets others run meanwhile."""
    view = memoryview(body)
    for at in range(0, len(body), _SLICE):
        key.update(view[at : at + _SLICE])
        await asyncio.sleep(0)


def _hold(step: Step, room: Share, size: int) -> bool:
    """Of a large answer a client that reads slowly has much to get still. Whether so much may be held."""
    if not room.try_take(size):
        return False
    step.defer(lambda _: room.give(size))
    return True


def _body(answer: CachedAnswer, *, large: bool) -> Body:
    if answer.stream:
        return Replay(answer.frames)
    if large:
        (whole,) = answer.frames
        return Replay([whole[at : at + GO] for at in range(0, len(whole), GO)])
    body = Body()
    body.frames, body.complete = answer.frames, True
    return body
