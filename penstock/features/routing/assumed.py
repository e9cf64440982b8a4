"""What a simulated call of a dynamic route takes for granted, and what it asks without counting."""

from collections.abc import Mapping

from msgspec.structs import replace

from penstock.features.routing.budgets import Counts, counted
from penstock.model.graph import WHOLE, Conditional, Element, Graph, Limit, Model, Percentage
from penstock.ports.counters import Counters, Taken

ASSUMED = "assumed"
ANSWERS = "assumed to answer"
FAILS = "assumed to fail"


class Asking(Counts):
    """Asks what is counted, and takes no place. ``seen``: what it found, by the id of the limit."""

    def __init__(self, counters: Counters, assume: Mapping[str, str]) -> None:
        self._counters = counters
        self._assume = assume
        self.seen: dict[str, Taken] = {}

    async def take(self, owner: str, limit: Limit) -> Taken:
        """What the call would be told."""
        places, assumed = counted(limit), self._assume.get(limit.id)
        if assumed is None:
            taken = await self._counters.take(owner, places, 0)
        elif assumed == "success":
            taken = Taken(given=True, used=0, wait=0.0, by=ASSUMED)
        else:
            taken = Taken(given=False, used=places.limit, wait=limit.interval, by=ASSUMED)
        self.seen[limit.id] = taken
        return taken._replace(used=taken.used + 1) if taken.given and limit.kind == "count" else taken

    def settle(self, owner: str, limit: Limit, cost: int) -> None:
        """Nothing was spent."""


def outputs(element: Element) -> tuple[str, ...]:
    """The outputs that can be assumed."""
    if isinstance(element, Conditional):
        return "true", "false"
    if isinstance(element, Percentage):
        return tuple(share.name for share in element.shares)
    return ("success", "fallback") if isinstance(element, Limit | Model) else ()


def assuming(graph: Graph, assume: Mapping[str, str]) -> Graph:
    """The graph with conditions and shares that are as it is assumed. ``assume``: outputs by ids of elements."""
    return Graph(graph.start, {name: _assuming(each, assume.get(name)) for name, each in graph.elements.items()})


def _always(_: object) -> bool:
    return True


def _never(_: object) -> bool:
    return False


def _assuming(element: Element, output: str | None) -> Element:
    if output is None:
        return element
    if isinstance(element, Conditional):
        return replace(element, test=_always if output == "true" else _never)
    if isinstance(element, Percentage):
        return Percentage(element.id, tuple(replace(s, size=WHOLE) for s in element.shares if s.name == output))
    return element
