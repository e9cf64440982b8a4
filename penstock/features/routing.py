"""Which targets a call may go to, in which order. Pure. Writes ``plan``; refuses unknown providers and unsafe paths."""

from collections.abc import Mapping

from penstock.core.errors import InvalidPath, InvalidProvider
from penstock.model.exchange import Exchange
from penstock.model.plan import Plan, Target
from penstock.providers.upstream import Upstream, safe


class Routing:
    """Provider-native addresses: one target, the provider that the path names."""

    def __init__(self, upstreams: Mapping[str, Upstream]) -> None:
        self._upstreams = upstreams

    def plan(self, ex: Exchange) -> Plan:
        """The plan. Raises InvalidProvider, InvalidPath."""
        request = ex.request
        upstream = self._upstreams.get(request.provider)
        if upstream is None:
            raise InvalidProvider(f"Invalid provider {request.provider!r}: known are {', '.join(sorted(self._upstreams))}.")
        if not safe(request.path):
            raise InvalidPath
        endpoint = upstream.endpoint(request.path)
        return Plan((Target(upstream.provider.id, upstream, upstream.target(request.path), endpoint),))
