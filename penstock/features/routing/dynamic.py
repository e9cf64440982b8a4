"""Dynamic routes (docs/routes.md): a graph chooses the models of a call, one after another, until one answers.

What the client's own provider key is does not matter: calls of a route travel with keys of the gateway, or the
operator's. Decides ``route``.
"""

import math
import time
from collections.abc import Callable
from functools import partial
from random import random

from msgspec.structs import replace

from penstock.core import ids
from penstock.core.errors import Overloaded, PenstockError, RateLimited, RouteFailed
from penstock.features.routing.budgets import NANO, Counts
from penstock.features.routing.chat import CREDENTIALS, Chat, Sender
from penstock.features.routing.graph.fields import Facts
from penstock.features.routing.graph.walk import Walk, walk
from penstock.features.routing.health import Watches
from penstock.features.routing.targets import Pick, Turn, turn
from penstock.model.decision import RouteDecision
from penstock.model.exchange import Exchange
from penstock.model.graph import End, Limit, Model, Visit
from penstock.model.request import Request
from penstock.model.route import Route
from penstock.model.step import Step

DYNAMIC = "dynamic/"  # in the place of a provider, before a route's name


class Walking:
    """The steps of one call along a graph. ``request``: the client's, which every step begins with.

    ``draw``: by what shares without a key, and targets, are drawn.
    """

    __slots__ = (
        "_budgets",
        "_call",
        "_counts",
        "_decided",
        "_draw",
        "_failures",
        "_pick",
        "_request",
        "_route",
        "_said",
        "_sender",
        "_turn",
        "_walk",
        "_watches",
        "facts",
    )

    def __init__(
        self,
        ex: Exchange,
        request: Request,
        call: Chat,
        sender: Sender,
        counts: Counts,
        watches: Watches,
        draw: Callable[[], float] = random,
    ) -> None:
        """Raises RouteFailed where there is no such route, or none that can run."""
        name = call.name.partition("/")[2]
        route = ex.gateway.routes.get(name)
        if route is None:
            raise _failed(f"this gateway has no route {name[:_SHOWN]!r} that is deployed")
        if route.graph is None:
            raise _failed(f"the deployed version of route {name!r} cannot run: {route.fault}")
        headers = [header for header in request.headers if header[0] not in CREDENTIALS]
        self._request = request
        request.headers, request.first = headers, {lower: value for lower, _, value in reversed(headers)}
        self._call = call
        self._sender = sender
        self._counts = counts
        self._watches = watches
        self._draw = draw
        self._route: Route = route
        self.facts = Facts(request.first, call.body, ex.options.metadata)
        self._walk: Walk = walk(route.graph, self.facts, route.id, draw)
        self._decided = replace(ex.step.decisions)  # about the call
        self._failures: list[str] = []
        self._budgets: list[tuple[str, Limit]] = []  # that the call has passed
        self._turn: Turn | None = None  # the targets of the element that the walk is at
        self._pick: Pick | None = None  # the one that is asked
        self._said: list[str] = []  # why targets of the element failed

    @property
    def at(self) -> Limit | Model | End | None:
        """Where the call is; None: the route has ended."""
        return self._walk.at

    @property
    def visits(self) -> list[Visit]:
        """The path to there."""
        return self._walk.visits

    async def first(self, step: Step) -> Step:
        """Fills in the first step. Raises RouteFailed where the graph leads to no model, and RateLimited."""
        pick = await self._next(step)
        if pick is None:
            if self._failures:
                raise self.exhausted()
            last = self._walk.visits[-1]
            led = f"element {last.element!r} leads there by its output {last.output!r}"
            why = f" ({last.why})" if last.why else ""
            raise _failed(f"route {self._route.name!r} ends without a model: {led}{why}")
        return self._begin(step, pick)

    async def after(self, step: Step, why: str) -> Step | None:
        """The step that follows one which failed; None: the graph has none."""
        if self._pick is None:
            return None
        self._pick.ended(step)
        at = self._walk.at
        alone = isinstance(at, Model) and len(at.targets) == 1
        why = _cut(why.removesuffix("."), _SHOWN)
        self._said.append(why if alone else f"{self._pick.target.name}: {why}")
        return await self._following(step)

    async def then(self, step: Step) -> Step | None:
        """The step that follows one which answered; None: that was the answer."""
        assert self._pick is not None
        self._pick.ended(step)
        self._leave(success=True, why=self._pick.why)
        return await self._following(step)

    def exhausted(self) -> PenstockError:
        """Why the call has no answer."""
        return _failed(f"route {self._route.name!r}: {'; '.join(self._failures)}")

    async def _following(self, step: Step) -> Step | None:
        pick = await self._next(step)
        if pick is None:
            return None
        following = Step(step.ex, self._request, time.monotonic())
        following.id = ids.new()
        following.name = ids.text(following.id)
        following.index = step.index + 1
        following.decisions = replace(self._decided)
        return self._begin(following, pick)

    async def _next(self, step: Step) -> Pick | None:
        """The next target on the way; None: the end."""
        while True:
            at = self._walk.at
            if isinstance(at, Limit):
                await self._pass(at, step)
            elif isinstance(at, Model):
                if self._turn is None:
                    self._turn = self._targets(at, step)
                self._pick = self._turn.next()
                if self._pick is not None:
                    return self._pick
                self._give_up(at, self._turn)
            else:
                return None

    def _targets(self, model: Model, step: Step) -> Turn:
        graph = self._route.graph
        assert graph is not None
        ends = model.fallback is None or isinstance(graph.elements[model.fallback], End)
        return turn(model, step.ex.gateway.number, self._watches, last_resort=ends, draw=self._draw)

    def _give_up(self, model: Model, turn: Turn) -> None:
        """All targets of a model have failed, or are left out."""
        why = "; ".join([*self._said, *turn.told()])
        self._failures.append(_cut(f"element {model.id!r}: {why}", _LONG))
        self._leave(success=False, why=why)

    def _leave(self, *, success: bool, why: str) -> None:
        self._turn, self._said = None, []
        self._walk.proceed(success=success, why=_cut(why, _LONG))

    async def _pass(self, limit: Limit, step: Step) -> None:
        """Counts the call at a limit. Raises RateLimited where it is exceeded and has no fallback."""
        value = limit.bucket(self.facts)
        owner = f"route:{step.ex.gateway.number}:{self._route.id}:{limit.id}:{value}"
        taken = await self._counts.take(owner, limit)
        if taken.by == "refuse":
            raise Overloaded(
                f"The gateway cannot count calls at element {limit.id!r} of route {self._route.name!r} while Redis is "
                "away, and lets none in uncounted; try again."
            )
        costs = limit.kind == "cost"
        used, unit = (taken.used / NANO, "dollars") if costs else (taken.used, "calls")
        why = f"{_amount(used)} of {_amount(limit.limit)} {unit} in {limit.interval} seconds"
        if not taken.given and limit.fallback is None:
            raise RateLimited(
                f"Rate limited: element {limit.id!r} of route {self._route.name!r} has had {why}.",
                retry_after=max(1, math.ceil(taken.wait)),
            )
        if costs and taken.given:
            self._budgets.append((owner, limit))
        self._walk.proceed(success=taken.given, why=why)

    def _begin(self, step: Step, pick: Pick) -> Step:
        """Fills in a step. Notes in ``error`` why it cannot be taken."""
        ex, element, target = step.ex, self._walk.at, pick.target
        assert isinstance(element, Model)
        step.last = False
        step.places = ex.caller.places
        retry = replace(ex.options.retry, attempts=1 + element.retries)
        timeout = element.timeout if element.timeout is not None else ex.options.timeout
        step.options = replace(ex.options, retry=retry, timeout=timeout)
        step.request = request = self._request.copied()
        request.provider, request.asked = target.provider, replace(self._call.asked, model=target.model)
        step.decisions.route = RouteDecision(
            self._route.name, self._route.version, element.id, [*self._walk.visits], pick.why[:_LONG]
        )
        if pick.is_watched():
            ex.defer(partial(_ended, pick, step))  # the step itself may never run
        if self._budgets:
            step.defer(self._settle)
        try:
            self._sender.send(step, request, self._call._replace(name=target.name))
        except PenstockError as error:
            step.error = error
        return step

    def _settle(self, step: Step) -> None:
        """The step has ended, and its cost is known: it counts at every budget that the call had passed."""
        if step.cost:
            for owner, limit in self._budgets:
                self._counts.settle(owner, limit, step.cost)


def models(ex: Exchange, name: str) -> str:
    """The names of all models that a route may ask; empty where there is no such route, or none that can run."""
    route = ex.gateway.routes.get(name)
    elements = route.graph.elements.values() if route is not None and route.graph is not None else ()
    return " ".join(target.model for each in elements if isinstance(each, Model) for target in each.targets)


def _amount(number: float) -> str:
    """As people write it, to the nano-dollar: no exponent."""
    return f"{number:.9f}".rstrip("0").rstrip(".")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _ended(pick: Pick, step: Step, _: Exchange) -> None:
    pick.ended(step)


def _failed(why: str) -> RouteFailed:
    return RouteFailed(f"{RouteFailed.__doc__}: {why}.")


_SHOWN = 128
_LONG = 256
