"""Prices: what models cost, and where each price comes from."""

from typing import Any

from fastapi import Response

from penstock.control.catalogue import service as catalogue
from penstock.control.prices import service
from penstock.control.prices.service import Priced, Wanted
from penstock.dashboard import paging
from penstock.dashboard.forms import Form
from penstock.dashboard.page import get
from penstock.dashboard.visit import Visit
from penstock.model.token import Scope

COLUMNS = ("input", "output", "cache_read", "cache_write")  # kinds that have a column; the others share one
LONGEST = 256


async def show(visit: Visit) -> Response:
    form = Form(visit.request.query_params.multi_items())
    wanted = Wanted(form.text("provider"), form.text("search")[:LONGEST])
    asked = paging.asked(visit)
    rows, total = await service.page(visit.control, wanted, asked.offset, asked.per_page)
    return visit.html(
        "prices/page.html",
        wanted=wanted,
        columns=COLUMNS,
        models=[shown(row) for row in rows],
        pages=paging.pages(visit, total),
        providers=[("", "all"), *((one.id, one.id) for one in catalogue.providers(visit.control))],
        sources=service.sources(visit.control),
    )


def shown(row: Priced) -> dict[str, Any]:
    """As the table has it: the rates of columns, and what is beside them."""
    plain = {line.kind: line for line in row.lines if not line.above}
    others = [line for line in row.lines if not line.like and line.kind not in COLUMNS and not line.above]
    above = [line for line in row.lines if line.above and line.rate != plain[line.kind].rate]
    return {"row": row, "rates": [plain.get(kind) for kind in COLUMNS], "others": others + above}


ROUTES = (get("/ui/prices", show, Scope.READ),)
