"""The overview: what the calls of the account come to, and the last of them as they come."""

import asyncio
from typing import Any

from fastapi import Response

from penstock.control.analytics import service as analytics
from penstock.control.analytics.schema import AnalyticsQuery
from penstock.control.gateways import service as gateways
from penstock.control.gateways.schema import GatewayPaging
from penstock.control.logs import service as logs
from penstock.control.logs.schema import LogQuery
from penstock.core import instants
from penstock.dashboard import snippets
from penstock.dashboard.forms import checked
from penstock.dashboard.overview import charts
from penstock.dashboard.page import get
from penstock.dashboard.visit import Visit
from penstock.model.token import Scope

HOUR = 3_600_000  # milliseconds
SPANS = {
    "1h": ("1 hour", HOUR),
    "24h": ("24 hours", 24 * HOUR),
    "7d": ("7 days", 168 * HOUR),
    "30d": ("30 days", 720 * HOUR),
}
GROUPS = (("provider", "Providers"), ("model", "Models"), ("gateway", "Gateways"))
TAIL = 12  # calls
WATCHED = 20  # gateways whose last calls are looked at
MOST_OPTIONS = 100


async def show(visit: Visit) -> Response:
    span = visit.query.get("span", "24h")
    label, length = SPANS.get(span, SPANS["24h"])
    gateway = visit.query.get("gateway") or None
    asked: dict[str, Any] = {"start": instants.text(instants.now() - length), "gateway": gateway}
    names = await _gateways(visit)
    whole = await analytics.analytics(visit.context, checked(AnalyticsQuery, asked))
    groups = [
        (
            title,
            name,
            await analytics.analytics(visit.context, checked(AnalyticsQuery, asked | {"group_by": name, "limit": 8})),
        )
        for name, title in GROUPS
    ]
    return visit.html(
        "overview/page.html",
        spans=SPANS,
        span=span if span in SPANS else "24h",
        label=label,
        gateway=gateway or "",
        gateways=names,
        sums=whole["totals"],
        charts=charts.drawn(whole),
        groups=groups,
        tail=await _last(visit, [gateway] if gateway else names),
        first_call=snippets.curl(visit, gateway or (names[0] if names else "default")),
    )


async def tail(visit: Visit) -> Response:
    """The part of the page that follows the calls."""
    gateway = visit.query.get("gateway") or None
    rows = await _last(visit, [gateway] if gateway else await _gateways(visit))
    return visit.html("overview/tail.html", tail=rows)


async def _gateways(visit: Visit) -> list[str]:
    rows, _ = await gateways.page(visit.context, GatewayPaging.model_validate({"per_page": MOST_OPTIONS}))
    return [row["id"] for row in rows]


async def _last(visit: Visit, names: list[str]) -> list[dict[str, Any]]:
    """The last calls of these gateways, newest first."""
    asked = LogQuery.model_validate({"per_page": TAIL})
    pages = await asyncio.gather(*(logs.page(visit.context, name, asked) for name in names[:WATCHED]))
    rows = [row | {"gateway": name} for name, page in zip(names, pages, strict=False) for row in page.rows]
    return sorted(rows, key=lambda row: row["id"], reverse=True)[:TAIL]


ROUTES = (
    get("/", show, Scope.READ, Scope.METADATA),
    get("/ui/tail", tail, Scope.READ, Scope.METADATA),
)
