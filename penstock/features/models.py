"""The list of models that a caller reaches, as OpenAI has it. No provider is asked.

A provider is reached with a key of the gateway's or the configuration's, which goes only with a token; an account's own
provider, while it is enabled. The names are those of the price list and of the operator's own prices.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

from penstock.core.codec import encode
from penstock.model.exchange import Exchange
from penstock.model.graph import Model
from penstock.model.reply import Body, Reply
from penstock.model.route import Route
from penstock.providers.custom import PREFIX
from penstock.providers.named import may_call
from penstock.providers.prices import PriceBook
from penstock.providers.unified import MODELS
from penstock.providers.upstream import Upstream


class HoldsKeys(Protocol):
    """A gateway's keys."""

    def reach(self, provider: str, *, by_alias: bool) -> bool: ...


Known = Callable[[], Mapping[str, Upstream]]


class Models:
    """``known``: the providers that an account has."""

    __slots__ = ("__weakref__", "_known", "_prices")

    def __init__(self, known: Known, prices: PriceBook) -> None:
        self._known = known
        self._prices = prices

    def listed(self, ex: Exchange, keys: HoldsKeys) -> Reply | None:
        """The answer; None: the call asks for something else."""
        surface = ex.request.surface
        if surface.kind != MODELS:
            return None
        names: Iterable[tuple[str, str]] = ()
        if (bearer := ex.caller.bearer) is not None:
            names = [*self._names(keys, own=not surface.api), *(("dynamic", name) for name in ex.gateway.routes)]
            if bearer.models is not None:
                names = [*self._allowed(bearer.models, names, ex.gateway.routes)]
        data = encode({"object": "list", "data": [_model(*name) for name in names]})
        body = Body()
        body.feed(data)
        body.finish()
        reply = Reply(200, b"", [(b"content-type", b"content-type", b"application/json")], body)
        reply.length = ex.step.answer_size = len(data)
        ex.step.reply = reply
        return reply

    def _names(self, keys: HoldsKeys, *, own: bool) -> Iterator[tuple[str, str]]:
        """Providers and their models. ``own``: the account's providers are callable here, and keys of any alias."""
        for slug, upstream in self._known().items():
            row = upstream.provider
            if slug != row.id or not row.unified or (row.unconfigured and not upstream.moved):
                continue
            if own if slug.startswith(PREFIX) else keys.reach(slug, by_alias=own):
                publisher = row.unified[0].publisher
                for name in self._prices.models(slug):
                    yield slug, publisher + name

    def _allowed(
        self, models: tuple[str, ...], names: Iterable[tuple[str, str]], routes: Mapping[str, Route]
    ) -> Iterator[tuple[str, str]]:
        """Those that a token may call: of a route, that may ask one of these models."""
        known = self._known()
        for slug, name in names:
            if slug != "dynamic":
                if may_call(models, known[slug].provider, name):
                    yield slug, name
            elif (graph := routes[name].graph) is not None and any(
                target.provider in known and may_call(models, known[target.provider].provider, target.model)
                for element in graph.elements.values()
                if isinstance(element, Model)
                for target in element.targets
            ):
                yield slug, name


def _model(provider: str, name: str) -> dict[str, object]:
    return {"id": f"{provider}/{name}", "object": "model", "created": 0, "owned_by": provider}
