"""Elements of a route as a drawing: boxes with their texts, lines with their labels, and what is marked of them.

Takes any elements that can be stored: outputs may lead nowhere, or back, and ids may come twice.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from unicodedata import east_asian_width

from penstock.dashboard.rendering import plain
from penstock.dashboard.routes import words
from penstock.dashboard.routes.layout import HEIGHT, Edge, arrange

MOST_LINES = 8  # from one box; an element that can run has six at most
_WIDTH = 190  # of a box, at least
_PORT = 70  # width for the label of a line
_LABEL = 10  # letters
_LETTER = 6.6  # width


class Box(NamedTuple):
    """``element``: its index; none for the box of one that is missing. ``classes`` are of ours."""

    element: int | None
    id: str
    x: float
    y: float
    width: float
    height: float
    kind: str
    name: str
    summary: str
    title: str
    classes: str
    sign: str
    href: str


class Line(NamedTuple):
    """``source``: the index of the element that it leaves."""

    source: int
    output: str
    path: str
    label: str
    title: str
    x: float
    y: float
    classes: str


class Leads(NamedTuple):
    """An output in the outline. ``to``: the index of the element that it leads to, if there is one."""

    output: str
    target: str
    to: int | None


class Drawing(NamedTuple):
    """``leads``: by the index of the element."""

    boxes: list[Box]
    lines: list[Line]
    leads: list[list[Leads]]
    width: int
    height: int
    height_of_box: int = HEIGHT


@dataclass(frozen=True)
class Marks:
    """What is marked, by index of the element. ``changed``: how each one differs: added, removed or changed.

    ``passed``: on the way of a call, with its number there. ``taken``: pairs of an index and an output. ``broken``: the
    same, of the output that is at fault.
    """

    passed: Mapping[int, int] = field(default_factory=dict[int, int])
    taken: frozenset[tuple[int, str]] = frozenset()
    fault: int | None = None
    broken: tuple[int, str] | None = None
    changed: Mapping[int, str] = field(default_factory=dict[int, str])
    chosen: int | None = None


NO_MARKS = Marks()
_SIGNS = {"added": "+", "removed": "-", "changed": "≠"}


def drawn(
    elements: Sequence[Mapping[str, Any]], marks: Marks = NO_MARKS, href: Callable[[int], str] = "#element-{}".format
) -> Drawing:
    """``href``: where the box of an element leads."""
    names = {str(each["id"]): index for index, each in reversed(list(enumerate(elements)))}
    order = sorted(range(len(elements)), key=lambda index: elements[index].get("type") != "start")
    place = {index: at for at, index in enumerate(order)}
    leads = [outputs(each, names) for each in elements]
    missing: list[str] = []
    edges: list[Edge] = []
    told: list[tuple[int, Leads]] = []
    for index in order:
        for lead in leads[index][:MOST_LINES]:
            if lead.to is None:
                missing.append(lead.target)
            target = len(order) + len(missing) - 1 if lead.to is None else place[lead.to]
            edges.append(Edge(place[index], target))
            told.append((index, lead))
    widths = [max(_WIDTH, _PORT * min(len(leads[index]), MOST_LINES)) for index in order] + [_WIDTH] * len(missing)
    if not widths:
        return Drawing([], [], [], 0, 0)
    found = arrange(widths, edges)
    reached = _reached(leads, [index for index in order if elements[index].get("type") == "start"])
    boxes = [
        _box(index, elements[index], found.boxes[at], widths[at], marks, href, unreached=index not in reached)
        for at, index in enumerate(order)
    ]
    boxes += [_ghost(name, found.boxes[len(order) + at]) for at, name in enumerate(missing)]
    lines = [
        Line(
            source=index,
            output=lead.output,
            path=line.path,
            label=shortened(plain(lead.output), _LABEL),
            title=plain(lead.output),
            x=line.port[0],
            y=line.port[1] + 15,
            classes=_line_look(index, lead, marks, back=line.back),
        )
        for (index, lead), line in zip(told, found.lines, strict=True)
    ]
    return Drawing(boxes, sorted(lines, key=lambda line: "taken" in line.classes), leads, found.width, found.height)


def outputs(element: Mapping[str, Any], names: Mapping[str, int]) -> list[Leads]:
    """``names``: the index of each id."""
    given: Mapping[str, Any] = element.get("outputs") or {}
    targets = [(name, str(output["elementId"])) for name, output in given.items() if output]
    return [Leads(name, target, names.get(target)) for name, target in targets]


def shortened(text: str, most: float) -> str:
    """Text of ``most`` letters of usual width."""
    width = 0.0
    for index, letter in enumerate(text):
        width += 1.9 if east_asian_width(letter) in "WF" else 1
        if width > most:
            return f"{text[: max(index - 1, 0)]}…"
    return text


def _reached(leads: Sequence[Sequence[Leads]], starts: Sequence[int]) -> set[int]:
    found, left = set[int](), list(starts)
    while left:
        index = left.pop()
        if index not in found:
            found.add(index)
            left += [lead.to for lead in leads[index] if lead.to is not None]
    return found


def _box(
    index: int,
    element: Mapping[str, Any],
    at: tuple[float, float],
    width: float,
    marks: Marks,
    href: Callable[[int], str],
    *,
    unreached: bool,
) -> Box:
    kind = str(element.get("type", ""))
    looks = {
        "fault": marks.fault == index,
        "passed": index in marks.passed,
        "chosen": marks.chosen == index,
        "unreached": unreached,
        marks.changed.get(index, ""): True,
    }
    sign = (
        "!"
        if marks.fault == index
        else str(marks.passed.get(index, "")) or _SIGNS.get(marks.changed.get(index, ""), "")
    )
    name, summary = plain(element["id"]), plain(words.summary(element))
    heading = words.KINDS.get(kind, kind)
    said = {
        "at fault": marks.fault == index,
        f"step {marks.passed.get(index)}": index in marks.passed,
        "no way leads here": unreached,
        marks.changed.get(index, ""): index in marks.changed,
    }
    title = f"{heading} {name}: {summary}" + "".join(f" ({what})" for what, so in said.items() if so)
    room = (width - 24) / _LETTER
    return Box(
        element=index,
        id=str(element["id"]),
        x=at[0] - width / 2,
        y=at[1],
        width=width,
        height=HEIGHT,
        kind=heading,
        name=shortened(name, room - len(heading) - 4),
        summary=shortened(summary, room),
        title=title,
        classes=" ".join(
            ["node", f"is-{kind.replace('_', '-')}", *(look for look, on in looks.items() if on and look)]
        ),
        sign=sign,
        href=href(index),
    )


def _ghost(name: str, at: tuple[float, float]) -> Box:
    shown = plain(name) or "nothing"
    room = (_WIDTH - 24) / _LETTER
    box = Box(
        None, name, at[0] - _WIDTH / 2, at[1], _WIDTH, HEIGHT, "Missing", "", shortened(shown, room), "", "", "?", ""
    )
    return box._replace(title=f"There is no element {shown}", classes="node is-missing")


def _line_look(index: int, lead: Leads, marks: Marks, *, back: bool) -> str:
    looks = {
        "taken": (index, lead.output) in marks.taken,
        "fault": back or lead.to is None or marks.broken == (index, lead.output),
        "otherwise": lead.output in {"fallback", "false"},
    }
    return " ".join(["edge", *(look for look, on in looks.items() if on)])
