"""The audit trail: who changed what, newest first."""

from typing import Any

from fastapi import Response

from penstock.control.audit import service
from penstock.control.audit.difference import changes
from penstock.control.audit.schema import AuditQuery
from penstock.dashboard import paging
from penstock.dashboard.forms import Form, Wrong, checked
from penstock.dashboard.page import get
from penstock.dashboard.visit import Visit
from penstock.model.token import Scope

FILTERS = ("subject", "action", "actor")
KINDS = (
    ("", "anything"),
    ("gateway", "gateways"),
    ("provider_config", "provider keys"),
    ("custom_provider", "custom providers"),
    ("route", "routes"),
    ("token", "tokens"),
    ("dashboard", "sign-ins"),
    ("alert", "alerts"),
    ("spending_limit", "spending limit"),
    ("logs", "the log"),
    ("topup", "top-ups"),
    ("topup_config", "automatic top-ups"),
    ("credit", "credit"),
)


async def show(visit: Visit) -> Response:
    form = Form(visit.request.query_params.multi_items())
    wanted = {name: form.text(name) for name in FILTERS}
    kinds = dict(KINDS)
    kinds.setdefault(wanted["action"], wanted["action"])
    given: dict[str, Any] = {"wanted": wanted, "kinds": list(kinds.items()), "difference": changes}
    try:
        asked = checked(AuditQuery, {**wanted, "page": paging.number(visit), "per_page": paging.PER_PAGE})
    except Wrong as error:
        return visit.html("audit/page.html", faults=error.faults, rows=[], pages=paging.pages(visit, 0), **given)
    rows, total = await service.page(visit.context, asked)
    return visit.html("audit/page.html", rows=rows, pages=paging.pages(visit, total), **given)


ROUTES = (get("/ui/audit", show, Scope.READ),)
