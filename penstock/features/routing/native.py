"""Provider-native addresses: one target, the provider that the path names. Refuses unknown providers, and paths that
lead nowhere, or out of their place, or hold a token of ours.
"""

from collections.abc import Mapping
from difflib import get_close_matches

from penstock.core.errors import InvalidPath, InvalidProvider
from penstock.features.routing import Routing
from penstock.model.exchange import Exchange, Itinerary
from penstock.model.plan import Target
from penstock.model.request import Request
from penstock.model.step import Step
from penstock.providers.custom import PREFIX
from penstock.providers.templates import safe
from penstock.providers.upstream import HOLDS_OURS, Upstream
from penstock.wire.credentials import Known, along, travels
from penstock.wire.headers import like_ours


class Lone(Itinerary):
    """One step and no other."""

    sees_body = lists = shows_step = False

    async def first(self, ex: Exchange) -> Step:
        return ex.step

    async def after(self, step: Step, why: str) -> Step | None:
        return None

    async def then(self, step: Step) -> Step | None:
        return None

    def exhausted(self) -> None:
        return None


LONE = Lone()


class NativeRouting(Routing):
    """Finds the target of a request.

    ``known``: tokens of ours, for targets that a header names. Other paths are searched for what looks like ours, as
    their targets are remembered whatever the tokens.
    """

    def __init__(self, upstreams: Mapping[str, Upstream], known: Known[object] = lambda _: None) -> None:
        self._upstreams = upstreams
        self._known = known
        self._made: dict[tuple[str, bytes], Target] = {}

    def itinerary(self, ex: Exchange) -> Itinerary:
        """The call's one step is the request as it came. Raises InvalidProvider, InvalidPath."""
        step, caller = ex.step, ex.caller
        step.target = self.target(ex.request)
        step.options, step.places, step.query = ex.options, caller.places, caller.query
        return LONE

    def target(self, request: Request) -> Target:
        """Where a request leads; found once an address, where that alone tells. Raises InvalidProvider, InvalidPath."""
        return self._made.get((request.provider, request.path)) or self._make(request)

    def upstream(self, provider: str) -> Upstream:
        """The provider of that name. Raises InvalidProvider."""
        upstream = self._upstreams.get(provider)
        if upstream is None:
            if provider.startswith(PREFIX):
                raise InvalidProvider(f"Invalid provider {provider[:_SHOWN]!r}: this account has no such provider.")
            known = sorted(slug for slug in self._upstreams if not slug.startswith(PREFIX))
            near = get_close_matches(provider[:_SHOWN].lower(), known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}."
            raise InvalidProvider(f"Invalid provider {provider[:_SHOWN]!r}: {hint}")
        return upstream

    def _make(self, request: Request) -> Target:
        provider, path = request.provider, request.path
        if like_ours(path) or like_ours(provider.encode()):
            raise InvalidPath(_OURS)
        upstream = self.upstream(provider)
        if not safe(path):
            raise InvalidPath
        target = upstream.target(path, request.headers)
        if upstream.by_header:
            self._clear(target)
        if len(path) <= _LONG and not upstream.by_header:
            if len(self._made) >= _REMEMBERED:
                self._made.clear()
            self._made[provider, path] = target
        return target

    def _clear(self, target: Target) -> None:
        """Takes tokens of ours out of the target's query. Raises InvalidPath for one in its path."""
        if along(target.path, self._known):
            raise InvalidPath(_OURS)
        if target.query:
            left = travels(target.query, self._known)
            target.query = target.query if left is None else left


_OURS = f"Invalid path: it {HOLDS_OURS}"
_LONG = 256  # bytes of a path; a longer one is no address that many calls share
_SHOWN = 64 + len(PREFIX)  # characters of a provider's name that a client chose
_REMEMBERED = 256  # targets a gateway keeps: most calls go to a handful of addresses
