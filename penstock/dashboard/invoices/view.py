"""What the account is billed: the month that runs, closed months and top-ups, each as a document."""

from fastapi import Response

from penstock.control.invoices import service
from penstock.control.invoices.routes import SAFE
from penstock.control.invoices.schema import HistoryPaging
from penstock.dashboard import paging, security
from penstock.dashboard.page import get
from penstock.dashboard.visit import Visit
from penstock.model.token import Scope

_PATH = "/ui/invoices"
_TYPES = {"all": "All", "manual": "Top-ups by hand", "auto": "Automatic top-ups"}
_PER_PAGE = 20


async def show(visit: Visit) -> Response:
    kind = visit.query.get("type", "all")
    kind = kind if kind in _TYPES else "all"
    asked = {"type": kind, "page": paging.number(visit), "per_page": _PER_PAGE}
    told = await service.history(visit.context, HistoryPaging.model_validate(asked), "")
    return visit.html(
        "invoices/page.html",
        month=await service.preview(visit.context),
        invoices=told["invoices"],
        pages=paging.pages(visit, told["pagination"]["total_count"], _PER_PAGE),
        types=_TYPES,
        type=kind,
    )


async def document(visit: Visit) -> Response:
    """``{id}.html``, ``.pdf`` or ``.csv``."""
    content, kind = await service.document(visit.context, visit.path("document"))
    return Response(content, 200, {**security.HEADERS, **SAFE}, kind)


ROUTES = (
    get(_PATH, show, Scope.READ),
    get(f"{_PATH}/{{document}}", document, Scope.READ),
)
