"""What a call of a dynamic route would do: the line's own stages, but no provider is called and nothing is counted."""

import asyncio
import time
from dataclasses import replace
from functools import partial
from random import random

from msgspec.structs import replace as changed

from penstock.core import instants
from penstock.core.budget import Budget
from penstock.core.codec import encode
from penstock.core.errors import MalformedChat, PenstockError
from penstock.features.routing.assumed import ANSWERS, ASSUMED, FAILS, Asking, assuming
from penstock.features.routing.budgets import NANO
from penstock.features.routing.chat import Chat
from penstock.features.routing.dynamic import DYNAMIC, Walking
from penstock.features.routing.native import NativeRouting
from penstock.features.routing.unified import UnifiedRouting
from penstock.features.translation import Translating
from penstock.gateway.compile import CompiledGateway, Parts, compile_gateway
from penstock.gateway.config import GatewayConfig
from penstock.model.body import Bounds, Flow, RequestBody
from penstock.model.caller import Caller
from penstock.model.exchange import Exchange
from penstock.model.graph import WHOLE, End, Limit, Model, Percentage, Visit
from penstock.model.request import Request
from penstock.model.route import Route
from penstock.model.simulation import Answered, Failed, Passed, Question, Seen, Sent, Shown, Simulated
from penstock.model.step import Step
from penstock.model.token import Token
from penstock.ports.counters import Counters, Taken
from penstock.providers.dialects import DIALECTS
from penstock.providers.fetching import Fetching
from penstock.providers.unified import CHAT

_UNSEEN = "not counted here, and assumed to pass"
_DIALECT = "openai_chat"  # that the simulated call speaks
_METADATA = "cf-aig-metadata"
_LARGEST = 1 << 20  # bytes of a body; those who ask bound it
_BEARER = Token("", "", b"", "simulated", frozenset(), 0)


class Simulator:
    """``counters``: those that limits are counted by, as far as this process sees them."""

    def __init__(self, parts: Parts, counters: Counters) -> None:
        self.parts = parts
        self.counters = counters
        self.translating = Translating(parts.answers, Fetching(parts.transport, on=False))

    async def simulate(self, config: GatewayConfig, route: Route, question: Question) -> Simulated:
        """``route`` has a graph, and the gateway of ``config`` need not have it."""
        await asyncio.to_thread(self.parts.prices.load)
        trip = _Trip(self, config, route, question)
        try:
            await trip.run()
        except PenstockError as error:
            return trip.told(error)
        return trip.told(None)


class _Trip:
    """One call, from model to model as on the line."""

    def __init__(self, simulator: Simulator, config: GatewayConfig, route: Route, question: Question) -> None:
        assert route.graph is not None
        self._parts = simulator.parts
        self._translating = simulator.translating
        self._elements = route.graph.elements
        self._assume = question.assume
        self._translates = "messages" in (question.body or {})
        self._assumed: set[str] = set()  # models that nothing keeps from being asked
        self._sent: list[Sent] = []
        self._answer: Answered | None = None
        assumed = changed(route, graph=assuming(route.graph, question.assume))
        self._gateway = compile_gateway(replace(config, routes=(assumed,)), self._parts)
        self._ex, body = _exchange(self._gateway, config, route, question)
        self._counts = Asking(simulator.counters, question.assume)
        native = NativeRouting(self._parts.stages.known(config.customs), self._parts.keyring.known)
        chat = Chat(CHAT, _DIALECT, DYNAMIC + route.name, body, DIALECTS[_DIALECT].asked(body))
        watches = self._parts.stages.watches.aside(config.number)
        sender = UnifiedRouting(native, self._counts, watches)
        draw = random if question.draw is None else partial(float, question.draw)
        self._walking = Walking(self._ex, self._ex.request, chat, sender, self._counts, watches, draw)

    async def run(self) -> None:
        """Raises what the client is told instead of an answer."""
        walking = self._walking
        step: Step | None = await walking.first(self._ex.step)
        while step is not None:
            at = walking.at
            assert isinstance(at, Model)
            error = await self._refusal(step)
            fails = error is not None or self._assume.get(at.id) == "fallback"
            self._sent.append(self._told(step, at, error, fails=fails))
            if error is None:
                self._assumed.add(at.id)
            if error is not None and not error.leads_on:
                raise error
            if fails:
                step = await walking.after(step, error.message if error is not None else FAILS)
            else:
                self._answer = Answered(at.id, self._sent[-1].provider, self._sent[-1].model)
                step = await walking.then(step)
        if self._answer is None:
            raise walking.exhausted()

    async def _refusal(self, step: Step) -> PenstockError | None:
        """Why the step cannot be sent; None: it can."""
        try:
            if step.error is not None:
                raise step.error
            self._gateway.keys.choose(step)
            if self._translates:
                await self._translating.request(step)
        except MalformedChat as error:
            if not (self._parts.fetch_media and step.translation is not None and step.translation.only_bytes):
                return error
            step.warnings.append(f"nothing that a message names by its URL was fetched: {error.message}")
        except PenstockError as error:
            return error
        return None

    def _told(self, step: Step, at: Model, error: PenstockError | None, *, fails: bool) -> Sent:
        target, model = step.target, step.request.asked.model
        url, vector, warnings = "", None, [*step.warnings]
        if target is not None:
            path = "/" if step.keyed else target.path.decode()  # what a key tells is for nobody to read
            url = f"http{'s' * target.origin.tls}://{target.host.decode()}{path}"
            vector = target.upstream.vector or self._parts.prices.price(target.provider, model, instants.now())
            if vector is None:
                warnings.append(f"no price of {model!r} is known: check the name; its costs are not counted")
            if error is None and step.decisions.key is None:
                warnings.append(f"there is no key for {target.provider}, so that the call travels without one")
        return Sent(
            element=at.id,
            provider=step.request.provider,
            model=model,
            why=step.decisions.route.why if step.decisions.route is not None else "",
            url=url,
            timeout=min(step.options.timeout or self._parts.first_byte, self._parts.first_byte),
            retries=step.options.retry.attempts - 1,
            dialect=step.translation.provider if step.translation is not None else "",
            key=step.decisions.key,
            priced=vector is not None,
            outcome="fallback" if fails else "success",
            error="" if error is None else error.message,
            warnings=warnings,
        )

    def told(self, error: PenstockError | None) -> Simulated:
        """What was found out. ``error``: what ended the call."""
        at, visits = self._walking.at, [*self._walking.visits]
        if isinstance(at, End):
            visits.append(Visit(at.id))
        elif at is not None and error is not None:
            visits.append(Visit(at.id, "", error.message))
        path = [self._passed(visit) for visit in visits]
        failed = None if error is None else Failed(error.status, error.code, error.message)
        return Simulated(path, self._sent, None if failed else self._answer, failed, self._ex.warnings)

    def _passed(self, visit: Visit) -> Passed:
        element, why = self._elements[visit.element], visit.why
        assumed, limit, shares = element.id in self._assumed, None, None
        if isinstance(element, Percentage):
            shares = [Shown(share.name, share.element, share.size * 100 / WHOLE) for share in element.shares]
        elif isinstance(element, Limit) and (taken := self._counts.seen.get(element.id)) is not None:
            limit = _seen(element, taken, element.bucket(self._walking.facts))
            if taken.by == "nobody":
                assumed, why = True, _UNSEEN
        if element.id in self._assume and not isinstance(element, Model):
            assumed, why = True, ASSUMED
        elif visit.output == "success" and isinstance(element, Model):
            why = f"{why}; {ANSWERS}" if why else ANSWERS
        return Passed(element.id, visit.output, why, assumed, limit, shares)


def _seen(limit: Limit, taken: Taken, value: str) -> Seen:
    costs = limit.kind == "cost"
    used = None if taken.by in {"nobody", "allow", ASSUMED} else taken.used / NANO if costs else taken.used
    unit = "dollars" if costs else "calls"
    return Seen(limit.key, value, used, limit.limit, unit, limit.interval, limit.technique, taken.by)


def _exchange(
    gateway: CompiledGateway, config: GatewayConfig, route: Route, question: Question
) -> tuple[Exchange, bytes]:
    """A call with a good token, as it is on the line once its body is here; and that body."""
    body = encode({**(question.body or {}), "model": DYNAMIC + route.name})
    given = {name.lower(): value for name, value in question.headers.items()}
    if question.metadata is not None:
        given[_METADATA] = encode(question.metadata).decode()
    headers = [(name.encode(), name.encode(), value.encode()) for name, value in given.items()]
    bounds = Bounds(hold=_LARGEST, keep=0, limit=_LARGEST, budget=Budget(_LARGEST))
    incoming = RequestBody(_Nobody(), bounds, len(body))
    incoming.feed(body)
    incoming.finish()
    request = Request(b"POST", b"", headers, incoming)
    request.account, request.gateway = config.account, config.id
    ex = Exchange(request, time.monotonic())
    ex.gateway, ex.caller = gateway, Caller(bearer=_BEARER, fault="")
    ex.options = gateway.options.read(request, ex.warnings)
    return ex, body


class _Nobody(Flow):
    """Sends no more."""

    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def proceed(self) -> None: ...
