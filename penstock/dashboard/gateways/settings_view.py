"""The page of a gateway's settings: every one of them, in one form."""

from typing import Any

from fastapi import Response

from penstock.control.gateways import service
from penstock.control.gateways.compile_settings import messages
from penstock.control.gateways.schema import GatewayUpdate
from penstock.core.errors import Conflict, Invalid, NotPermitted
from penstock.dashboard.forms import NO_FAULTS, Faults, Form, Wrong, checked
from penstock.dashboard.gateways import form as settings_form
from penstock.dashboard.gateways.settings import GROUPS, SETTINGS
from penstock.dashboard.page import get, post
from penstock.dashboard.visit import Visit
from penstock.model.token import Scope

_MEANWHILE = (
    "The gateway was changed by somebody else since this page was loaded. Below is what you entered: look at it again. "
    "If you save it once more, it takes the place of what was changed."
)
_MOST_NAMED = 6  # settings, in the sentence that says what was saved


async def show(visit: Visit) -> Response:
    gateway = await service.get(visit.context, visit.path("gateway_id"))
    return _page(visit, gateway, {setting.name: gateway.get(setting.name) for setting in SETTINGS})


async def save(visit: Visit) -> Response:
    form, name = await visit.form(), visit.path("gateway_id")
    gateway = await service.get(visit.context, name)
    values = settings_form.entered(form, gateway)
    if rows := form.text("rows"):  # somebody wants a row more, or one less
        return _page(visit, gateway, values, form, rows=rows)
    changed = settings_form.changes(values, gateway)
    if not changed:
        return visit.done(_address(name), "Nothing was changed.")
    if form.text("was") != gateway["modified_at"]:
        return _page(visit, gateway, values, form, Faults([("", _MEANWHILE)]))
    try:
        update = checked(GatewayUpdate, settings_form.body(changed, gateway))
        await service.update(visit.context, name, update)
    except Wrong as wrong:
        return _page(visit, gateway, values, form, wrong.faults)
    except (Invalid, Conflict, NotPermitted) as error:
        return _page(visit, gateway, values, form, Faults.of(error))
    return visit.done(_address(name), _saved(changed))


def _page(
    visit: Visit,
    gateway: dict[str, Any],
    values: dict[str, Any],
    form: Form | None = None,
    faults: Faults = NO_FAULTS,
    *,
    rows: str = "",
) -> Response:
    return visit.html(
        "gateways/settings.html",
        faults=faults,
        gateway=gateway,
        values=values,
        as_json=settings_form.as_json(values, form),
        groups=GROUPS,
        state=settings_form.State(_address(gateway["id"]), faults, rows),
        idle={message["path"][1]: message["message"] for message in messages(gateway)},
        may_save=visit.may(Scope.WRITE),
    )


def _saved(changed: dict[str, Any]) -> str:
    labels = [setting.label for setting in SETTINGS if setting.name in changed]
    more = len(labels) - _MOST_NAMED
    named = "; ".join(labels[:_MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")
    return " ".join([f"Saved: {named}.", *(message["message"] for message in messages(changed))])


def _address(gateway_id: str) -> str:
    return f"/ui/gateways/{gateway_id}/settings"


ROUTES = (
    get("/ui/gateways/{gateway_id}/settings", show, Scope.READ),
    post("/ui/gateways/{gateway_id}/settings", save, Scope.WRITE),
)
