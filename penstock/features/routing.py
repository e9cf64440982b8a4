"""Which targets a call may go to, in which order. Pure. Writes ``plan``; refuses unknown providers and unsafe paths."""

from collections.abc import Mapping
from typing import Protocol

from penstock.core.errors import InvalidPath, InvalidProvider
from penstock.model.exchange import Exchange
from penstock.model.plan import Plan, Target
from penstock.providers.upstream import Upstream, safe


class Routing(Protocol):
    """The stage on the line."""

    def plan(self, ex: Exchange) -> Plan:
        """The targets. Raises InvalidProvider, InvalidPath."""
        ...


class NativeRouting(Routing):
    """Provider-native addresses: one target, the provider that the path names."""

    def __init__(self, upstreams: Mapping[str, Upstream]) -> None:
        self._upstreams = upstreams
        self._made: dict[tuple[str, bytes], Plan] = {}

    def plan(self, ex: Exchange) -> Plan:
        """The plan; made once an address. Raises InvalidProvider, InvalidPath."""
        request = ex.request
        plan = self._made.get((request.provider, request.path))
        if plan is None:
            plan = self._make(request.provider, request.path)
            if len(request.path) <= _LONG:
                if len(self._made) >= _REMEMBERED:
                    self._made.clear()
                self._made[request.provider, request.path] = plan
        return plan

    def _make(self, provider: str, path: bytes) -> Plan:
        upstream = self._upstreams.get(provider)
        if upstream is None:
            known = ", ".join(sorted(self._upstreams))
            raise InvalidProvider(f"Invalid provider {provider[:64]!r}: known are {known}.")
        if not safe(path):
            raise InvalidPath
        return Plan((Target(upstream.provider.id, upstream, upstream.target(path), upstream.endpoint(path)),))


_LONG = 256  # bytes of a path; a longer one is no address that many calls share
_REMEMBERED = 256  # plans a gateway keeps: most calls go to a handful of addresses
