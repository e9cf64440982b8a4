"""A simulated call of a dynamic route: what is asked, and what is answered (docs/routes.md)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from penstock.model.decision import KeyDecision


@dataclass(frozen=True, slots=True)
class Question:
    """A call, as its sender describes it. ``assume``: outputs by the id of their element; ``draw``: 0 to below 1."""

    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    metadata: Mapping[str, Any] | None = None
    body: Mapping[str, Any] | None = None
    assume: Mapping[str, str] = field(default_factory=dict[str, str])
    draw: float | None = None


class Shown(msgspec.Struct, frozen=True):
    """An output of a percentage element, and how many per cent it has."""

    output: str
    element: str
    percent: float


class Seen(msgspec.Struct, frozen=True):
    """A limit as it stands before the call. ``unit``: calls or dollars; ``interval``: seconds.

    ``counted_by``: ``memory`` (the process that was asked), ``redis``, ``nobody``, ``assumed``, or what is done while
    Redis is away: ``count``, ``allow``.
    """

    key: str
    value: str
    used: float | None
    limit: float
    unit: str
    interval: int
    technique: str
    counted_by: str


class Passed(msgspec.Struct, frozen=True):
    """An element on the path. ``assumed``: nobody was asked."""

    element: str
    output: str
    why: str
    assumed: bool = False
    limit: Seen | None = None
    shares: list[Shown] | None = None


class Sent(msgspec.Struct, frozen=True):
    """What a model would be sent. ``why``: what decided between targets. ``error``: why it cannot be; empty: it can.

    ``timeout``: seconds to the first byte; ``dialect``: what the request is translated into, empty where it is not;
    ``key`` None: the call travels without one; ``priced``: whether a price of the model is known.
    """

    element: str
    provider: str
    model: str
    why: str
    url: str
    timeout: float
    retries: int
    dialect: str
    key: KeyDecision | None
    priced: bool
    outcome: str
    error: str
    warnings: list[str]


class Failed(msgspec.Struct, frozen=True):
    """What the client is told instead of an answer."""

    status: int
    code: int
    message: str


class Answered(msgspec.Struct, frozen=True):
    element: str
    provider: str
    model: str


class Simulated(msgspec.Struct, frozen=True):
    path: list[Passed]
    calls: list[Sent]
    answer: Answered | None
    error: Failed | None
    warnings: list[str]
