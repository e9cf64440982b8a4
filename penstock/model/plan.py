"""Where a call may go, and where it went."""

from typing import Any

import msgspec


class Target:
    """One place that can answer. ``path`` is the complete request target below the origin, without the query."""

    __slots__ = ("endpoint", "path", "provider", "upstream")

    def __init__(self, provider: str, upstream: Any, path: bytes, endpoint: Any) -> None:
        self.provider = provider
        self.upstream = upstream  # providers.upstream.Upstream
        self.path = path
        self.endpoint = endpoint  # providers.catalog.Endpoint


class Plan:
    """The targets of a call, in the order in which they are tried. Calls with the same address share a plan."""

    __slots__ = ("targets",)

    def __init__(self, targets: tuple[Target, ...]) -> None:
        self.targets = targets


class Attempt(msgspec.Struct, omit_defaults=True):
    """One try at one target, as the log row tells it: milliseconds since the call began, and until a head came."""

    provider: str
    host: str
    began: float
    duration: float = 0.0
    status: int | None = None
    error: str | None = None
    reused: bool = False  # over a connection that had served before
