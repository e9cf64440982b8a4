"""Gateways: the list, a new one, and the page of one, from which it is called, purged and deleted."""

from typing import Any, NamedTuple

from fastapi import Response

from penstock.control.analytics import service as analytics
from penstock.control.analytics.schema import AnalyticsQuery
from penstock.control.cache import service as cache
from penstock.control.cache.schema import Purge
from penstock.control.custom_providers import service as custom_providers
from penstock.control.custom_providers.schema import CustomPaging
from penstock.control.envelope import Paging
from penstock.control.gateways import service, spend
from penstock.control.gateways.compile_settings import messages
from penstock.control.gateways.schema import GatewayCreate, GatewayPaging
from penstock.core.errors import Conflict, Invalid, NotPermitted
from penstock.dashboard import paging, snippets
from penstock.dashboard.forms import NO_FAULTS, Faults, Wrong, checked
from penstock.dashboard.gateways.summary import by_gateway, glance
from penstock.dashboard.page import get, post
from penstock.dashboard.visit import Visit
from penstock.model.token import Scope
from penstock.providers import catalog
from penstock.providers.custom import PREFIX

HOME = "/ui/gateways"
NEW_PAGE = f"{HOME}/-/new"  # no gateway has such an address
REFUSALS = (Invalid, Conflict, NotPermitted)  # of a form, which is shown again with the sentence
MOST_GROUPS = 100
NEW: dict[str, Any] = {
    "id": "",
    "authentication": True,
    "collect_logs": True,
    "collect_log_payloads": True,
    "cache_ttl": 0,
    "cache_invalidate_on_update": False,
    "rate_limiting_limit": 0,
    "rate_limiting_interval": 60,
}
_AMOUNTS = ("cache_ttl", "rate_limiting_limit", "rate_limiting_interval")
_TICKS = ("authentication", "collect_logs", "collect_log_payloads")


class Reached(NamedTuple):
    """A provider: where its calls go, the headers that its key may travel in, and its documentation."""

    base_url: str
    headers: str = ""
    docs: str = ""


# All of them


async def gateways(visit: Visit) -> Response:
    search = visit.query.get("search", "")
    given = {"page": paging.number(visit), "per_page": paging.PER_PAGE, "search": search}
    try:
        asked = checked(GatewayPaging, given)
    except Wrong as wrong:
        pages = paging.pages(visit, 0)
        return visit.html("gateways/list.html", faults=wrong.faults, search=search, rows=[], pages=pages)
    rows, total = await service.page(visit.context, asked)
    told = await analytics.analytics(visit.context, _asked(group_by="gateway", limit=MOST_GROUPS))
    sums, whole = by_gateway(told)
    return visit.html(
        "gateways/list.html",
        search=search,
        rows=[(row, glance(row), sums.get(row["id"]), whole) for row in rows],
        pages=paging.pages(visit, total),
    )


async def new(visit: Visit) -> Response:
    return visit.html("gateways/new.html", entered=NEW)


async def create(visit: Visit) -> Response:
    form = await visit.form()
    entered = NEW | {"id": form.text("id")}
    entered |= {name: form.text(name) == "true" for name in _TICKS}
    entered |= {name: form.number(name) for name in _AMOUNTS}
    try:
        body = checked(GatewayCreate, entered)
        made = await service.create(visit.context, body)
    except Wrong as wrong:
        return visit.html("gateways/new.html", faults=wrong.faults, entered=entered)
    except REFUSALS as error:
        return visit.html("gateways/new.html", faults=Faults.of(error), entered=entered)
    return visit.done(f"{HOME}/{made['id']}", f"Gateway {made['id']} was created. Below is how to call it.")


def _asked(**more: Any) -> AnalyticsQuery:
    """Of the last 24 hours."""
    return AnalyticsQuery.model_validate(more)


# One of them


async def show(visit: Visit) -> Response:
    return await _page(visit)


async def _page(visit: Visit, faults: Faults = NO_FAULTS) -> Response:
    """``faults``: of one of its forms."""
    gateway = await service.get(visit.context, name := visit.path("gateway_id"))
    told = await analytics.analytics(visit.context, _asked(), name)
    counters, rules = await spend.page(visit.context, name, Paging.model_validate({"per_page": 10}))
    providers = await _providers(visit)
    values: dict[str, Any] = {
        "gateway": gateway,
        "glance": glance(gateway),
        "sums": told["totals"],
        "counters": counters,
        "more_counters": rules - len(counters),
        "idle": [message["message"] for message in messages(gateway)],
        "address": snippets.address(visit, name),
        "snippets": snippets.every(visit, name),
        "providers": providers,
        "options": [(each, each) for each in providers],
        "provider": visit.query.get("provider", "openai"),
    }
    return visit.html("gateways/page.html", faults=faults, **values)


async def _providers(visit: Visit) -> dict[str, Reached]:
    """Those that the gateway reaches, by the word in the address."""
    found = {
        row.id: Reached(row.base_url, ", ".join(row.credential_headers), row.docs)
        for name, row in sorted(catalog.load().items())
        if name == row.id
    }
    if visit.context.limited_to is None:
        own, _ = await custom_providers.page(visit.context, CustomPaging.model_validate({"per_page": 100}))
        found |= {PREFIX + row["slug"]: Reached(row["base_url"]) for row in own}
    return found


async def purge(visit: Visit) -> Response:
    form = await visit.form()
    entered = {"cache_key": form.text("cache_key") or None, "older_than": form.number("older_than")}
    try:
        count = await cache.purge(visit.context, visit.path("gateway_id"), checked(Purge, entered))
    except Wrong as wrong:
        return await _page(visit, wrong.faults)
    answers = "1 answer was" if count == 1 else f"{count:,} answers were"
    return visit.done(f"{HOME}/{visit.path('gateway_id')}", f"The cache was purged: {answers} dropped here.")


async def delete(visit: Visit) -> Response:
    name = visit.path("gateway_id")
    if (await visit.form()).text("confirm") != name:
        return await _page(visit, Faults([("confirm", f"Type {name} to delete it.")]))
    gone, warnings = await service.delete(visit.context, name)
    return visit.done(HOME, " ".join([f"Gateway {gone['id']} was deleted.", *(each["message"] for each in warnings)]))


ROUTES = (
    get(HOME, gateways, Scope.READ),
    get(NEW_PAGE, new, Scope.WRITE),
    post(NEW_PAGE, create, Scope.WRITE),
    get(f"{HOME}/{{gateway_id}}", show, Scope.READ),
    post(f"{HOME}/{{gateway_id}}/purge", purge, Scope.WRITE, shows=(Scope.READ,)),
    post(f"{HOME}/{{gateway_id}}/delete", delete, Scope.WRITE, shows=(Scope.READ,)),
)
