"""Which targets a call may go to, in which order. Pure. Writes ``plan``; refuses unknown providers and paths that lead
nowhere, or out of their place, or hold a token of ours.
"""

from collections.abc import Mapping
from typing import Protocol

from penstock.core.errors import InvalidPath, InvalidProvider
from penstock.model.exchange import Exchange
from penstock.model.plan import Plan, Target
from penstock.model.request import Request
from penstock.providers.templates import safe
from penstock.providers.upstream import HOLDS_OURS, Upstream
from penstock.wire.credentials import Known, along, travels
from penstock.wire.headers import like_ours


class Routing(Protocol):
    """The stage on the line."""

    def plan(self, ex: Exchange) -> Plan:
        """The targets. Raises InvalidProvider, InvalidPath."""
        ...


class NativeRouting(Routing):
    """Provider-native addresses: one target, the provider that the path names.

    ``known``: tokens of ours, for targets that a header names. Other paths are searched for what looks like ours, as
    their plans are remembered whatever the tokens.
    """

    def __init__(self, upstreams: Mapping[str, Upstream], known: Known[object] = lambda _: None) -> None:
        self._upstreams = upstreams
        self._known = known
        self._made: dict[tuple[str, bytes], Plan] = {}

    def plan(self, ex: Exchange) -> Plan:
        """The plan; made once an address, where that alone tells. Raises InvalidProvider, InvalidPath."""
        request = ex.request
        return self._made.get((request.provider, request.path)) or self._make(request)

    def _make(self, request: Request) -> Plan:
        provider, path = request.provider, request.path
        if like_ours(path) or like_ours(provider.encode()):
            raise InvalidPath(_OURS)
        upstream = self._upstreams.get(provider)
        if upstream is None:
            known = ", ".join(sorted(self._upstreams))
            raise InvalidProvider(f"Invalid provider {provider[:64]!r}: known are {known}.")
        if not safe(path):
            raise InvalidPath
        target = upstream.target(path, request.headers)
        if upstream.by_header:
            self._clear(target)
        plan = Plan((target,))
        if len(path) <= _LONG and not upstream.by_header:
            if len(self._made) >= _REMEMBERED:
                self._made.clear()
            self._made[provider, path] = plan
        return plan

    def _clear(self, target: Target) -> None:
        """Takes tokens of ours out of the target's query. Raises InvalidPath for one in its path."""
        if along(target.path, self._known):
            raise InvalidPath(_OURS)
        if target.query:
            left = travels(target.query, self._known)
            target.query = target.query if left is None else left


_OURS = f"Invalid path: it {HOLDS_OURS}"
_LONG = 256  # bytes of a path; a longer one is no address that many calls share
_REMEMBERED = 256  # plans a gateway keeps: most calls go to a handful of addresses
