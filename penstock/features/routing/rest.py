"""Inference below the API's own address: the unified API with the models of the catalogue alone."""

from urllib.parse import quote

from penstock.core.errors import InvalidProvider, MalformedChat, ModelNotFound
from penstock.features.routing.budgets import Budgets
from penstock.features.routing.chat import Chat
from penstock.features.routing.dynamic import DYNAMIC, Walking, models
from penstock.features.routing.health import Watches
from penstock.features.routing.native import NativeRouting
from penstock.features.routing.unified import UnifiedRouting, reserved, whole
from penstock.model.request import Request
from penstock.model.step import Step
from penstock.providers import run, unified
from penstock.providers.custom import PREFIX
from penstock.providers.dialects import DIALECTS
from penstock.providers.prices import PriceBook
from penstock.providers.spelling import Spellings
from penstock.providers.upstream import Upstream

_WORKERS, _AUTHORS = "workers-ai", "@cf/"  # whose names stand without their provider's
_SHOWN = 128


class RestRouting(UnifiedRouting):
    """Takes both spellings of a version. No providers of an account's own."""

    def __init__(self, native: NativeRouting, budgets: Budgets, watches: Watches, prices: PriceBook) -> None:
        super().__init__(native, budgets, watches)
        # The gateway's own graph leads where it does at every address.
        self._along = UnifiedRouting(native, budgets, watches)
        self._prices = prices
        self._spellings: dict[str, Spellings] = {}

    def settle(self, step: Step, request: Request, kind: str, dialect: str, at: slice | None = None) -> Walking | None:
        """As above. Raises ModelNotFound in the place of InvalidProvider."""
        try:
            return super().settle(step, request, kind, dialect, at) if kind != run.RUN else self._run(step, request)
        except InvalidProvider as error:
            raise ModelNotFound(error.message) from None

    def split(self, name: str) -> tuple[str, str]:
        """Raises MalformedChat, ModelNotFound."""
        if name.startswith(_AUTHORS):
            return _WORKERS, name
        slug, model = unified.split(name)
        upstream = self._upstream(slug, name)
        if (known := self._spellings.get(slug)) is None:
            known = self._spellings[slug] = Spellings(self._prices.models(upstream.provider.id))
        return slug, known.of(model)

    def _upstream(self, slug: str, name: str) -> Upstream:
        if slug.startswith(PREFIX):
            raise ModelNotFound(f"Model not found: {name[:_SHOWN]}. The account's own providers are not served here.")
        try:
            return self._native.upstream(slug)
        except InvalidProvider as error:
            raise ModelNotFound(f"Model not found: {name[:_SHOWN]}. {error.message}") from None

    def _run(self, step: Step, request: Request) -> Walking | None:
        told = run.read(request.path, whole(request))
        if told.model.startswith(_AUTHORS):
            self._run_workers(step, request, told)
            return None
        if told.options.reject_if_busy:
            raise MalformedChat("run bad format: options.rejectIfBusy is for models of Workers AI alone.")
        slug, name = unified.split(told.model)
        if told.model.startswith(DYNAMIC):
            kind, dialect = run.kind(told._replace(model=models(step.ex, name)), ())
        else:
            kind, dialect = run.kind(told, self._upstream(slug, told.model).provider.unified)
        asked = DIALECTS[dialect or "openai_chat"].asked(told.input)
        return self._begin(step, request, Chat(kind, dialect, told.model, told.input, asked, wraps=True))

    def _run_workers(self, step: Step, request: Request, told: run.Run) -> None:
        request.provider, step.query = _WORKERS, b""
        if told.options.reject_if_busy:
            request.path, step.sends = b"run", reserved(request, run.busy(told))
        else:
            request.path = b"run/" + quote(told.model, safe="/@").encode()
            step.sends = reserved(request, told.input)
        step.target = self._native.target(request)
