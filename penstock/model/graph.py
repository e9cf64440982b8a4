"""A dynamic route, compiled: elements that lead from one to the next (docs/routes.md)."""

from collections.abc import Callable
from typing import Any, final

import msgspec

Path = tuple[str | int, ...]  # of a member in the elements as they were sent: ("elements", 3, "outputs", "next")
WHOLE = 100_000_000  # 100 %, in the unit of shares


class GraphFault(Exception):
    """Elements that are no graph, or cannot run. ``path``: of the member that is at fault."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path
        self.message = message


@final
class Start(msgspec.Struct, frozen=True):
    id: str
    next: str


@final
class Conditional(msgspec.Struct, frozen=True):
    """``test``: takes the facts of a call; ``text``: the condition as it was written, shortened, for the row."""

    id: str
    test: Callable[[Any], bool]
    text: str
    true: str
    false: str


class Share(msgspec.Struct, frozen=True):
    """An output of a percentage element. ``size``: millionths of a per cent; ``salt``: 64 bits of its own."""

    name: str
    element: str
    size: int
    salt: int


@final
class Percentage(msgspec.Struct, frozen=True):
    """Shares of calls; they make 100 % together. ``sticky``: finds by what a call is kept on its output.

    None: each call is drawn. What ``sticky`` finds is empty where a call does not have it; such a call is drawn too.
    """

    id: str
    shares: tuple[Share, ...]
    sticky: Callable[[Any], str] | None = None
    sticky_by: str = ""


@final
class Limit(msgspec.Struct, frozen=True):
    """``kind``: count (of calls) or cost (US dollars); ``interval``: seconds; ``technique``: fixed or sliding.

    ``bucket`` finds the value that is counted under, empty where a call has none; ``key`` is the name of its field.
    ``fallback`` None: the route ends when the limit is exceeded.
    """

    id: str
    kind: str
    key: str
    bucket: Callable[[Any], str]
    limit: float
    interval: int
    technique: str
    success: str
    fallback: str | None = None


class ModelTarget(msgspec.Struct, frozen=True):
    """A provider's model that may be asked. ``weight``: its share of the calls is that of the sum of all weights."""

    provider: str
    model: str
    weight: float = 1.0

    @property
    def name(self) -> str:
        return f"{self.provider}/{self.model}"


class Health(msgspec.Struct, frozen=True):
    """When a target is left out, as it fails, and for how long: ``pause``, seconds.

    After so many ``failures`` in a row, or once ``error_rate`` of the calls of the last ``window`` seconds have failed,
    which must be ``minimum`` calls. 0: such failures do not matter. Either matters.
    """

    failures: int
    error_rate: float
    window: float
    minimum: int
    pause: float


@final
class Model(msgspec.Struct, frozen=True):
    """``timeout``: seconds to the first byte, None: no limit; ``retries``: further attempts after the first; both hold
    for each target. ``strategy``: by which a target is chosen where there are several: weighted or fastest.

    ``fallback`` None: the route ends when the model fails. ``health`` None: no target is ever left out.
    """

    id: str
    targets: tuple[ModelTarget, ...]
    timeout: float | None
    retries: int
    success: str
    fallback: str | None = None
    strategy: str = "weighted"
    health: Health | None = None


@final
class End(msgspec.Struct, frozen=True):
    id: str


Element = Start | Conditional | Percentage | Limit | Model | End


class Graph(msgspec.Struct, frozen=True):
    """``start``: id of the element that a call begins at. Every id that is named is in ``elements``; no cycles."""

    start: str
    elements: dict[str, Element]


class Visit(msgspec.Struct, omit_defaults=True, gc=False):
    """An element on the path of a call: which output was taken (empty: none), and why."""

    element: str
    output: str = ""
    why: str = ""
