"""Inference below the API's own address: the unified API with the models of the catalogue alone."""

from penstock.core.errors import InvalidProvider, ModelNotFound
from penstock.features.routing.native import NativeRouting
from penstock.features.routing.unified import UnifiedRouting
from penstock.model.request import Request
from penstock.model.step import Step
from penstock.providers import unified
from penstock.providers.custom import PREFIX
from penstock.providers.prices import PriceBook
from penstock.providers.spelling import Spellings

_WORKERS, _AUTHORS = "workers-ai", "@cf/"  # whose names stand without their provider's
_SHOWN = 128


class RestRouting(UnifiedRouting):
    """Takes both spellings of a version. No providers of an account's own."""

    def __init__(self, native: NativeRouting, prices: PriceBook) -> None:
        super().__init__(native)
        self._prices = prices
        self._spellings: dict[str, Spellings] = {}

    def settle(self, step: Step, request: Request, kind: str, dialect: str) -> None:
        """As above. Raises ModelNotFound in the place of InvalidProvider."""
        try:
            super().settle(step, request, kind, dialect)
        except InvalidProvider as error:
            raise ModelNotFound(error.message) from None

    def split(self, name: str) -> tuple[str, str]:
        """Raises MalformedChat, ModelNotFound."""
        if name.startswith(_AUTHORS):
            return _WORKERS, name
        slug, model = unified.split(name)
        if slug.startswith(PREFIX):
            raise ModelNotFound(f"Model not found: {name[:_SHOWN]}. The account's own providers are not served here.")
        if (known := self._spellings.get(slug)) is None:
            try:
                provider = self._native.upstream(slug).provider
            except InvalidProvider as error:
                raise ModelNotFound(f"Model not found: {name[:_SHOWN]}. {error.message}") from None
            known = self._spellings[slug] = Spellings(self._prices.models(provider.id))
        return slug, known.of(model)
