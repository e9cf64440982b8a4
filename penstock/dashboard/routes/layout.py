"""Where the boxes of a graph stand, and how lines run between them: layers from top to bottom, with few crossings.

A box is below every box that leads to it, by the longest way. A line that passes layers goes through a gap of each of
them, which lines to the same box share. Lines that lead back, as no graph that can run has, go round at the side.
"""

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

HEIGHT = 54  # of a box
BETWEEN = 66  # layers
BESIDE = 26  # boxes
_GAP = 10  # width that a line takes of a layer it passes
_MARGIN = 16
_SWEEPS = 6
_ROUND = 46  # how far a line that leads back swings out

Point = tuple[float, float]


class Line(NamedTuple):
    """``path``: for SVG; ``port``: where it leaves its box."""

    path: str
    port: Point
    back: bool


class Layout(NamedTuple):
    """``boxes``: the middle of the upper side of each."""

    boxes: list[Point]
    lines: list[Line]
    width: int
    height: int


class Edge(NamedTuple):
    source: int
    target: int


def arrange(widths: Sequence[float], edges: Sequence[Edge]) -> Layout:
    """Boxes of these widths. The first one, and those that no edge leads to, are on top."""
    onward, order = _onward(len(widths), edges)
    layers = _layers(len(widths), [edge for edge, on in zip(edges, onward, strict=True) if on], order)
    net = _Net(widths, edges, onward, layers)
    net.order()
    centres = net.centres()
    least = min(centre - width / 2 for centre, width in zip(centres, net.widths, strict=True)) - _MARGIN
    centres = [round(centre - least) for centre in centres]
    boxes: list[Point] = [(centres[box], _MARGIN + layers[box] * (HEIGHT + BETWEEN)) for box in range(len(widths))]
    lines = _lines(widths, edges, onward, boxes, net, centres)
    right = max(centre + width / 2 for centre, width in zip(centres, net.widths, strict=True)) + _MARGIN
    right += 0 if all(onward) else _ROUND
    height = 2 * _MARGIN + (max(layers) + 1) * (HEIGHT + BETWEEN) - BETWEEN
    return Layout(boxes, lines, round(right), round(height))


def _onward(count: int, edges: Sequence[Edge]) -> tuple[list[bool], list[int]]:
    """Which edges do not lead back, and an order in which every box comes before those that it leads on to."""
    leads: dict[int, list[int]] = defaultdict(list)
    for number, edge in enumerate(edges):
        leads[edge.source].append(number)
    onward, open_, done, order = [True] * len(edges), set[int](), set[int](), list[int]()
    for root in range(count):
        stack = [(root, iter(leads[root]))] if root not in done else []
        open_.update(box for box, _ in stack)
        while stack:
            box, rest = stack[-1]
            for number in rest:
                target = edges[number].target
                if target in open_:
                    onward[number] = False
                elif target not in done:
                    open_.add(target)
                    stack.append((target, iter(leads[target])))
                    break
            else:
                stack.pop()
                open_.discard(box)
                done.add(box)
                order.append(box)
    return onward, order[::-1]


def _layers(count: int, edges: Sequence[Edge], order: Sequence[int]) -> list[int]:
    """Of each box: the length of the longest way to it."""
    layers, targets = [0] * count, defaultdict[int, list[int]](list)
    for edge in edges:
        targets[edge.source].append(edge.target)
    for box in order:
        for target in targets[box]:
            layers[target] = max(layers[target], layers[box] + 1)
    return layers


class _Net:
    """Boxes, and the gaps that lines take of the layers between, as places in the order of their layer."""

    def __init__(
        self, widths: Sequence[float], edges: Sequence[Edge], onward: Sequence[bool], layers: Sequence[int]
    ) -> None:
        self.widths = list(widths)
        self.gaps: dict[tuple[int, int], int] = {}  # by the box that lines lead to, and the layer
        self._above: dict[int, set[int]] = defaultdict(set)
        self._below: dict[int, set[int]] = defaultdict(set)
        self._rows: list[list[int]] = [[] for _ in range(max(layers) + 1)]
        for box, layer in enumerate(layers):
            self._rows[layer].append(box)
        for edge, on in zip(edges, onward, strict=True):
            if on:
                self._join(edge, layers)

    def _join(self, edge: Edge, layers: Sequence[int]) -> None:
        last = edge.source
        for layer in range(layers[edge.source] + 1, layers[edge.target]):
            gap = self.gaps.get((edge.target, layer))
            if gap is None:
                gap = self.gaps[edge.target, layer] = len(self.widths)
                self.widths.append(_GAP)
                self._rows[layer].append(gap)
            self._link(last, gap)
            last = gap
        self._link(last, edge.target)

    def _link(self, upper: int, lower: int) -> None:
        self._below[upper].add(lower)
        self._above[lower].add(upper)

    def order(self) -> None:
        """Sorts each layer by the middle of what its places are joined to, down and up, and keeps the best."""
        best, fewest = [list(row) for row in self._rows], self._crossings()
        for sweep in range(_SWEEPS):
            down = sweep % 2 == 0
            for row, beside in pairwise(self._rows if down else self._rows[::-1]):
                places = {place: index for index, place in enumerate(row)}
                joined = self._above if down else self._below
                here = {place: index for index, place in enumerate(beside)}
                beside.sort(key=lambda place, at=places, to=joined, own=here: _middle(to[place], at, own[place]))
            crossings = self._crossings()
            if crossings < fewest:
                best, fewest = [list(row) for row in self._rows], crossings
        self._rows = best

    def _crossings(self) -> int:
        found = 0
        for upper, lower in pairwise(self._rows):
            places = {place: index for index, place in enumerate(lower)}
            passed: list[int] = []
            for place in upper:
                ends = sorted(places[below] for below in self._below[place])
                found += sum(len(passed) - bisect_right(passed, end) for end in ends)
                for end in ends:
                    insort(passed, end)
        return found

    def centres(self) -> list[float]:
        """Of each place: above and below what it is joined to, as far as the others in its layer leave room."""
        centres = [0.0] * len(self.widths)
        for row in self._rows:
            self._settle(row, centres, centres)
        for sweep in range(_SWEEPS):
            down = sweep % 2 == 0
            joined = (self._above,) if sweep < _SWEEPS - 1 and down else (self._below,)
            if sweep == _SWEEPS - 1:
                joined = (self._above, self._below)
            for row in self._rows if down else self._rows[::-1]:
                wanted = list(centres)
                for place in row:
                    ends = [centres[end] for side in joined for end in side[place]]
                    wanted[place] = sum(ends) / len(ends) if ends else centres[place]
                self._settle(row, wanted, centres)
        return centres

    def _settle(self, row: Sequence[int], wanted: Sequence[float], centres: list[float]) -> None:
        steps = [(self.widths[left] + self.widths[right]) / 2 + BESIDE for left, right in pairwise(row)]
        for place, centre in zip(row, apart([wanted[place] for place in row], steps), strict=True):
            centres[place] = centre


def apart(wanted: Sequence[float], steps: Sequence[float]) -> list[float]:
    """The places nearest to the ``wanted`` ones (by least squares) of which each is a step from the one before it."""
    offsets = list(accumulate(steps, initial=0.0))
    blocks: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=False):
        total, count = want - offset, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / count:
            before = blocks.pop()
            total, count = total + before[0], count + before[1]
        blocks.append((total, count))
    settled = [total / count for total, count in blocks for _ in range(count)]
    return [place + offset for place, offset in zip(settled, offsets, strict=False)]


def _middle(ends: set[int], places: dict[int, int], otherwise: float) -> float:
    return sum(places[end] for end in ends) / len(ends) if ends else otherwise


def _lines(
    widths: Sequence[float],
    edges: Sequence[Edge],
    onward: Sequence[bool],
    boxes: Sequence[Point],
    net: _Net,
    centres: Sequence[float],
) -> list[Line]:
    ways: list[list[Point]] = []
    for edge, on in zip(edges, onward, strict=True):
        between = range(_layer(boxes[edge.source]) + 1, _layer(boxes[edge.target])) if on else ()
        passed = [(centres[net.gaps[edge.target, layer]], _top(layer)) for layer in between]
        ways.append([*passed, boxes[edge.target]])
    ports: dict[int, Point] = {}
    for box in range(len(boxes)):
        leaving = sorted((ways[n][0][0], n) for n, edge in enumerate(edges) if edge.source == box)
        for place, (_, number) in enumerate(leaving, 1):
            left = boxes[box][0] - widths[box] / 2
            ports[number] = round(left + widths[box] * place / (len(leaving) + 1)), boxes[box][1] + HEIGHT
    lines: list[Line] = []
    for number, (edge, on) in enumerate(zip(edges, onward, strict=True)):
        if on:
            path = _down(ports[number], ways[number])
        else:
            path = _back(
                ports[number], boxes[edge.target], widths[edge.target], boxes[edge.source], widths[edge.source]
            )
        lines.append(Line(path, ports[number], not on))
    return lines


def _layer(box: Point) -> int:
    return round((box[1] - _MARGIN) / (HEIGHT + BETWEEN))


def _top(layer: int) -> float:
    return _MARGIN + layer * (HEIGHT + BETWEEN)


def _down(port: Point, way: Sequence[Point]) -> str:
    """Ends in the head of an arrow."""
    (x, y), told = port, [f"M{port[0]:g} {port[1]:g}"]
    for right, top in way:
        bend = (top - y) / 2
        told.append(f"C{x:g} {y + bend:g} {right:g} {top - bend:g} {right:g} {top:g}")
        x, y = right, top + HEIGHT
        told.append(f"V{y:g}")
    x, y = way[-1]
    return f"{''.join(told[:-1])}M{x - 4:g} {y - 7:g}L{x:g} {y:g}L{x + 4:g} {y - 7:g}"


def _back(port: Point, target: Point, width: float, source: Point, source_width: float) -> str:
    """From below its box round the right side of both, and into the target's."""
    out = max(source[0] + source_width / 2, target[0] + width / 2) + _ROUND
    x, y = target[0] + width / 2, target[1] + HEIGHT / 2
    told = f"M{port[0]:g} {port[1]:g}v10C{port[0]:g} {port[1] + 30:g} {out:g} {port[1] + 30:g} {out:g} {port[1]:g}"
    return f"{told}V{y + 20:g}Q{out:g} {y:g} {x:g} {y:g}M{x + 7:g} {y - 4:g}L{x:g} {y:g}L{x + 7:g} {y + 4:g}"
