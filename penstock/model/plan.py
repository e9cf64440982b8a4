"""Where a call may go, and where it went."""

from typing import Any, NamedTuple

import msgspec

from penstock.model.endpoint import Endpoint

_NOTHING: frozenset[bytes] = frozenset()


class Origin(NamedTuple):
    """Where a connection leads; the key of a connection pool.

    ``trusted``: the operator wrote the address into the configuration file, so that it may be private.
    """

    tls: bool
    host: str
    port: int
    trusted: bool = False


class Target:
    """One place that can answer. ``path`` is the complete request target below the origin, without the query."""

    __slots__ = (
        *("endpoint", "host", "model", "origin", "path", "provider", "query", "region", "service", "stays"),
        "upstream",
    )

    def __init__(self, upstream: Any, origin: Origin, host: bytes, path: bytes, endpoint: Endpoint) -> None:
        self.provider: str = upstream.provider.id
        self.upstream = upstream  # providers.upstream.Upstream
        self.origin = origin
        self.host = host  # the Host header
        self.path = path
        self.query: bytes | None = None  # with its question mark, in the place of the request's own; None: that one
        self.endpoint = endpoint
        self.model = ""  # as the path names it
        self.service = ""  # what a signature is for,
        self.region = ""  # and where; empty: that of the key
        self.stays = _NOTHING  # headers that told this target, and do not travel


class Attempt(msgspec.Struct, omit_defaults=True):
    """One try at one target, as the log row tells it: milliseconds since the call began, and until a head came.

    ``waited``: milliseconds before it, since the one before had failed. ``reason`` is ``error`` with host and fault; it
    is not for the caller.
    """

    provider: str
    host: str
    began: float
    duration: float = 0.0
    status: int | None = None
    error: str | None = None
    waited: float | None = None
    reused: bool = False  # over a connection that had served before
    reason: str | None = None
