"""How an answer comes into the cache, and to those who follow the call that brings it."""

from penstock.core import instants
from penstock.core.budget import Budget
from penstock.core.errors import ProviderBroke
from penstock.core.telemetry import Telemetry
from penstock.features.cache.keepable import begins_well, ended_well, is_stream
from penstock.model.flight import Flight
from penstock.model.reply import Reply
from penstock.model.step import Step
from penstock.model.usage import Reported
from penstock.ports.cache_store import CachedAnswer, CacheStore
from penstock.providers.repeated import may_repeat, repeats

_DESCRIBING = frozenset({b"content-type", b"content-encoding", b"content-language", b"content-disposition"})


class Shelf:
    """What the caches of all gateways share.

    ``limit``: bytes of the largest answer that is kept; ``budget``: of all answers that are held while they run.
    """

    def __init__(self, store: CacheStore, limit: int, budget: Budget, telemetry: Telemetry) -> None:
        self.store = store
        self.limit = limit
        self.budget = budget
        self.telemetry = telemetry
        self.flights: dict[bytes, Flight] = {}


def form(step: Step) -> str:
    """What the answers of a step's target are written in: its dialect, or else all of the provider's."""
    target = step.target
    assert target is not None
    return target.endpoint.dialect or target.provider


class Keeper:
    """The stage that sees an answer as it goes out, for those who follow the call and for the store."""

    __slots__ = ("_complete", "_held", "_key", "_owner", "_reply", "_room", "_shelf", "_ttl", "flight")

    def __init__(self, shelf: Shelf, key: bytes, step: Step) -> None:
        shelf.telemetry.cache_lookups.add((step.request.account, step.request.gateway, "miss"))
        self._shelf = shelf
        self._key = key
        self._owner = step.ex.gateway.number
        self._ttl = step.options.cache_ttl
        self._room = shelf.budget.share(step.request.account, self._owner)
        self._held = 0  # bytes, taken of it
        self._complete = False
        self._reply: Reply | None = None  # None: it may not be kept
        self.flight = Flight(step.began, form(step))
        running = shelf.flights.get(key)
        if running is None or shelf.store.outdated(key, running.began) or _has_failed(step, running):
            shelf.flights[key] = self.flight

    def begin(self, step: Step, reply: Reply, *, streams: bool) -> None:
        """The answer's head is here."""
        if not begins_well(step, reply, streams=streams):
            self.flight.refuse()
            return
        self._reply = reply
        headers = [header for header in reply.headers if header[0] in _DESCRIBING]
        self.flight.begin(reply, headers, stream=is_stream(reply))
        reply.source = self.flight
        reply.put(self)

    def feed(self, data: bytes) -> bytes:
        flight = self.flight
        if flight.held and data:
            if self._held + len(data) <= self._shelf.limit and self._room.try_take(len(data)):
                self._held += len(data)
            else:
                flight.outgrow()
        if data:
            flight.feed(data)
        if not flight.held:
            self._hold(flight.size)
        return data

    def end(self) -> bytes:
        self._complete = True
        return b""

    def settle(self, step: Step) -> None:
        """The call ends; by now the meter knows what it cost."""
        flight, flights = self.flight, self._shelf.flights
        if flights.get(self._key) is flight:
            del flights[self._key]
        if not self._complete:
            flight.land(step.error or step.ex.error or ProviderBroke())
        else:
            self._take(step)
            flight.land(None)
        flight.when_left(self._hold)

    def _take(self, step: Step) -> None:
        """The answer is complete as HTTP goes."""
        flight, reported = self.flight, step.reported
        if reported is not None and (reported.error or not reported.complete):
            flight.fault = Reported(model="", usage=None, error=reported.error, complete=reported.complete)
            return
        answer = self._answer(step)
        whole = answer.frames[0] if flight.held and not flight.stream else None
        if self._reply is None or not ended_well(step, self._reply, whole) or _repeats(step, answer):
            return
        flight.answer = answer
        if not self._shelf.store.outdated(self._key, flight.began):
            self._keep(answer, refreshes=step.options.skip_cache)

    def _keep(self, answer: CachedAnswer, *, refreshes: bool) -> None:
        store = self._shelf.store
        kept = self.flight.held and store.keep(self._key, self._owner, answer, self._ttl)
        if refreshes:
            store.refreshed(self._key, self.flight.began)
            if not kept:
                store.drop(self._key)  # it is older

    def _answer(self, step: Step) -> CachedAnswer:
        flight, usage = self.flight, step.reported.usage if step.reported else None
        return CachedAnswer(
            flight.status,
            [(name, value) for _, name, value in flight.headers],
            flight.frames if flight.stream else [b"".join(flight.frames)],
            flight.stream,
            instants.now(),
            (usage.tokens_in or 0) if usage else 0,
            (usage.tokens_out or 0) if usage else 0,
            step.cost,
            flight.form,
        )

    def _hold(self, size: int = 0) -> None:
        """No more than so many bytes are held now."""
        if size < self._held:
            self._room.give(self._held - size)
            self._held = size


def _repeats(step: Step, answer: CachedAnswer) -> bool:
    """Whether a key of ours stands in it, which no store is to hold."""
    return may_repeat(step) and repeats(step, b"".join(answer.frames) if step.answer is None else step.answer)


def _has_failed(step: Step, running: Flight) -> bool:
    """Whether an earlier step of the same call leads it, which has failed by now."""
    return any(before.flight is running for before in step.ex.steps)
