"""Walks a graph for one call, from one element that needs the outside to the next. Pure."""

from collections.abc import Callable
from hashlib import blake2b
from math import log
from random import random

from penstock.features.routing.graph.fields import Facts
from penstock.model.graph import WHOLE, Conditional, End, Graph, Limit, Model, Percentage, Share, Start, Visit

_ALL = (1 << 64) - 1


class Walk:
    """Where a call is in a graph. ``at``: the element that waits for its outcome, or the end; None: the route ended
    at an element without the output that was to be taken. ``visits``: the path so far, ``at`` not included.
    """

    __slots__ = ("_draw", "_facts", "_graph", "_route", "at", "visits")

    def __init__(self, graph: Graph, facts: Facts, route: str, draw: Callable[[], float]) -> None:
        self._graph = graph
        self._facts = facts
        self._route = route
        self._draw = draw
        self.visits: list[Visit] = []
        self.at: Limit | Model | End | None = None
        self._go(graph.start)

    def proceed(self, *, success: bool, why: str = "") -> None:
        """From ``at``, a limit or a model, by its outcome: passed or exceeded, answered or failed."""
        at = self.at
        if at is None or type(at) is End:
            raise TypeError("the walk is over")
        target = at.success if success else at.fallback
        self.visits.append(Visit(at.id, "" if target is None else "success" if success else "fallback", why))
        self.at = None
        if target is not None:
            self._go(target)

    def _go(self, target: str) -> None:
        elements, visits = self._graph.elements, self.visits
        while True:
            element = elements[target]
            if type(element) is Conditional:
                true = element.test(self._facts)
                visits.append(Visit(element.id, "true" if true else "false", element.text))
                target = element.true if true else element.false
            elif type(element) is Percentage:
                share, why = self._share(element)
                visits.append(Visit(element.id, share.name, why))
                target = share.element
            elif type(element) is Start:
                visits.append(Visit(element.id, "next"))
                target = element.next
            else:
                self.at = element
                return

    def _share(self, element: Percentage) -> tuple[Share, str]:
        if element.sticky is not None:
            value = element.sticky(self._facts)
            if value:
                return kept(element.shares, self._route, value), f"sticky by {element.sticky_by}"
        draw = self._draw()
        return drawn(element.shares, draw), f"drawn: {draw:.4f}"


def walk(graph: Graph, facts: Facts, route: str, draw: Callable[[], float] = random) -> Walk:
    """``route``: its id, by which sticky shares of one route do not follow another's; ``draw``: from 0 to below 1."""
    return Walk(graph, facts, route, draw)


def drawn(shares: tuple[Share, ...], draw: float) -> Share:
    point = draw * WHOLE
    for share in shares:
        point -= share.size
        if point < 0:
            return share
    return max(shares, key=lambda share: share.size)  # by rounding alone


def kept(shares: tuple[Share, ...], route: str, value: str) -> Share:
    """Weighted rendezvous hashing: the same share for the same value, whatever the order of the outputs.

    When sizes change, values leave only shares that became smaller, in proportion to another, for that other.
    """
    key = int.from_bytes(blake2b(f"{route}\0{value}".encode("utf-8", "replace"), digest_size=8).digest(), "big")
    best, least = shares[0], float("inf")
    for share in shares:
        if share.size:
            score = -log((_mixed(key ^ share.salt) + 0.5) / (_ALL + 1)) / share.size
            if score < least:
                best, least = share, score
    return best


def _mixed(number: int) -> int:
    """Any 64 bits for any other: the last steps of SplitMix64."""
    number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9 & _ALL
    number = (number ^ (number >> 27)) * 0x94D049BB133111EB & _ALL
    return number ^ (number >> 31)
