"""What calls cost, and what was charged for them: in time, and by whatever tells calls apart."""

from typing import Any

from fastapi import Response

from penstock.control.analytics import service as analytics
from penstock.control.analytics.schema import AnalyticsQuery
from penstock.control.gateways import service as gateways
from penstock.control.gateways.schema import GatewayPaging
from penstock.control.invoices.documents import csv_text
from penstock.core import instants
from penstock.core.errors import Invalid
from penstock.dashboard import security
from penstock.dashboard.forms import Faults, Wrong, checked
from penstock.dashboard.page import get
from penstock.dashboard.paging import address
from penstock.dashboard.spend import asked, figures
from penstock.dashboard.visit import Visit
from penstock.model.token import Scope

_SUGGESTED = 100  # gateways


async def show(visit: Visit) -> Response:
    fields = asked.fields(visit.query)
    names, _ = await gateways.page(visit.context, GatewayPaging.model_validate({"per_page": _SUGGESTED}))
    values: dict[str, Any] = {
        "fields": fields,
        "spans": [("", "from … to …"), *((name, label) for name, (label, _) in asked.SPANS.items())],
        "intervals": asked.INTERVALS,
        "groups": asked.GROUPS,
        "more": any(fields[name] for name in asked.MORE),
        "gateways": [row["id"] for row in names],
    }
    try:
        told, messages = await _told(visit, fields)
    except Wrong as wrong:
        return visit.html("spend/page.html", faults=wrong.faults, told=None, messages=[], **values)
    return visit.html(
        "spend/page.html",
        told=told,
        messages=messages,
        charts=[
            figures.chart(told, "cost", "Cost"),
            figures.chart(told, "charge", "Charged to the account"),
        ],
        rows=figures.linked(told, lambda group: _to(asked.within(fields, group))),
        csv=address(f"{asked.PATH}.csv", fields),
        **values,
    )


async def csv(visit: Visit) -> Response:
    """The table of the groups."""
    fields = asked.fields(visit.query)
    told, _ = await _told(visit, fields)
    name = f"spend-by-{fields['by']}.csv"
    headers = {**security.HEADERS, "content-disposition": f'attachment; filename="{name}"'}
    return Response(csv_text(figures.CSV, figures.table(told)), 200, headers, "text/csv; charset=utf-8")


async def _told(visit: Visit, fields: dict[str, str]) -> tuple[dict[str, Any], list[str]]:
    """The answer, and what is to be known of it. Raises Wrong."""
    if fields["by"] == asked.METADATA and not fields["key"]:
        raise Wrong(Faults([("key", "Say which key of the metadata.")]))
    query = checked(AnalyticsQuery, asked.body(fields, instants.now()))
    try:
        told = await analytics.analytics(visit.context, query)
    except Invalid as error:
        raise Wrong(Faults.of(error)) from error
    return told, [message["message"] for message in await analytics.messages(visit.context, query)]


def _to(fields: dict[str, str] | None) -> str | None:
    return None if fields is None else address(asked.PATH, fields)


ROUTES = (
    get("/ui/spend", show, Scope.READ, Scope.METADATA),
    get("/ui/spend.csv", csv, Scope.READ, Scope.METADATA),
)
