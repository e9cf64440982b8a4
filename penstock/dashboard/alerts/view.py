"""Alerts: webhooks that are called when something begins to be wrong, and when it is over."""

from typing import Any

from fastapi import Response

from penstock.control.alerts import service
from penstock.control.alerts.kinds import KINDS
from penstock.control.alerts.schema import AlertCreate, AlertUpdate
from penstock.control.gateways import service as gateways
from penstock.control.gateways.schema import GatewayPaging
from penstock.core.errors import Conflict, Invalid, NotFound
from penstock.dashboard import paging
from penstock.dashboard.alerts import words
from penstock.dashboard.forms import NO_FAULTS, Faults, Wrong, checked
from penstock.dashboard.page import get, post
from penstock.dashboard.visit import Visit
from penstock.model.token import Scope

_PATH = "/ui/alerts"
_SUGGESTED = 100  # gateways
_DELIVERIES = 20  # of a page


async def show(visit: Visit) -> Response:
    rows, total = await service.page(visit.context, paging.asked(visit))
    return visit.html("alerts/page.html", alerts=rows, pages=paging.pages(visit, total), words=words)


async def new(visit: Visit) -> Response:
    kind = visit.query.get("kind", "")
    if kind not in KINDS:
        return visit.html("alerts/kinds.html", kinds=words.WORDS)
    return await _form(visit, kind, words.BLANK | {"threshold": words.WORDS[kind].usual})


async def create(visit: Visit) -> Response:
    """The page with the secret, which is shown this once."""
    form = await visit.form()
    kind = form.text("kind")
    if kind not in KINDS:
        return visit.go(f"{_PATH}/new")
    body = words.body(form, kind) | {"kind": kind, "gateway_id": form.text("gateway_id") or None}
    try:
        made = await service.create(visit.context, checked(AlertCreate, body))
    except Wrong as wrong:
        return await _form(visit, kind, words.typed(form), wrong.faults)
    except NotFound:
        faults = Faults([("gateway_id", "gateway_id: there is no such gateway")])
        return await _form(visit, kind, words.typed(form), faults)
    except (Invalid, Conflict) as error:
        return await _form(visit, kind, words.typed(form), Faults.of(error))
    return visit.html("alerts/made.html", alert=made)


async def _form(visit: Visit, kind: str, fields: dict[str, str], faults: Faults = NO_FAULTS) -> Response:
    names, _ = await gateways.page(visit.context, GatewayPaging.model_validate({"per_page": _SUGGESTED}))
    values: dict[str, Any] = _of(kind) | {"fields": fields, "gateways": [row["id"] for row in names], "enabled": True}
    return visit.html("alerts/new.html", faults=faults, **values)


async def one(visit: Visit) -> Response:
    alert = await service.get(visit.context, visit.path("alert"))
    return await _one(visit, alert, words.fields(alert))


async def _one(visit: Visit, alert: dict[str, Any], fields: dict[str, str], faults: Faults = NO_FAULTS) -> Response:
    sent, total = await service.deliveries(visit.context, alert["id"], paging.asked(visit, _DELIVERIES))
    at = f"{_PATH}/{alert['id']}"
    values: dict[str, Any] = _of(alert["kind"]) | {"alert": alert, "fields": fields, "enabled": alert["enabled"]}
    pages = paging.pages(visit, total, _DELIVERIES, path=at)
    return visit.html("alerts/one.html", faults=faults, at=at, sent=sent, pages=pages, **values)


async def change(visit: Visit) -> Response:
    alert, form = await service.get(visit.context, visit.path("alert")), await visit.form()
    try:
        await service.update(visit.context, alert["id"], checked(AlertUpdate, words.body(form, alert["kind"])))
    except Wrong as wrong:
        return await _one(visit, alert, words.typed(form), wrong.faults)
    except Invalid as error:
        return await _one(visit, alert, words.typed(form), Faults.of(error))
    return visit.done(f"{_PATH}/{alert['id']}", f"The alert {form.text('name')} was changed.")


async def test(visit: Visit) -> Response:
    """Calls the webhook once."""
    sent = await service.test(visit.context, visit.path("alert"))
    came = f"answered with the status {sent['status']}" if sent["status"] else f"failed: {sent['error']}"
    said = "The test was delivered" if sent["state"] == "delivered" else "The test was not delivered"
    return visit.done(f"{_PATH}/{visit.path('alert')}", f"{said}: the call {came}.")


async def delete(visit: Visit) -> Response:
    gone = await service.delete(visit.context, visit.path("alert"))
    return visit.done(_PATH, f"The alert {gone['name']} was deleted.")


def _of(kind: str) -> dict[str, Any]:
    """What forms of a kind are made of."""
    return {"kind": kind, "told": words.WORDS[kind], "counts": KINDS[kind].counts, "words": words}


ROUTES = (
    get(_PATH, show, Scope.READ),
    get(f"{_PATH}/new", new, Scope.WRITE),
    post(f"{_PATH}/new", create, Scope.WRITE),
    get(f"{_PATH}/{{alert}}", one, Scope.READ),
    post(f"{_PATH}/{{alert}}", change, Scope.WRITE, shows=(Scope.READ,)),
    post(f"{_PATH}/{{alert}}/test", test, Scope.WRITE),
    post(f"{_PATH}/{{alert}}/delete", delete, Scope.WRITE),
)
