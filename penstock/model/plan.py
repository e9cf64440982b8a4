"""Where a call may go, and where it went."""

from typing import Any


class Target:
    """One place that can answer. ``path`` is the complete request target below the origin, without the query."""

    __slots__ = ("endpoint", "path", "provider", "upstream")

    def __init__(self, provider: str, upstream: Any, path: bytes, endpoint: Any) -> None:
        self.provider = provider
        self.upstream = upstream  # providers.upstream.Upstream
        self.path = path
        self.endpoint = endpoint  # providers.catalog.Endpoint


class Plan:
    """The targets of a call, in the order in which they are tried."""

    __slots__ = ("targets",)

    def __init__(self, targets: tuple[Target, ...]) -> None:
        self.targets = targets


class Attempt:
    """One try at one target. Times are monotonic seconds."""

    __slots__ = ("ended", "error", "origin", "provider", "reused", "started", "status")

    def __init__(self, provider: str, origin: Any, started: float) -> None:
        self.provider = provider
        self.origin = origin  # ports.transport.Origin
        self.started = started
        self.ended = 0.0  # when its head came, or it failed
        self.status: int | None = None
        self.error: str | None = None
        self.reused = False
