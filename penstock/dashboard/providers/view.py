"""Providers: those that Penstock knows, and the account's own."""

from typing import Any

from fastapi import Response

from penstock.control.catalogue import service as catalogue
from penstock.control.custom_providers import service
from penstock.control.custom_providers.schema import CustomCreate, CustomPaging, CustomUpdate
from penstock.core.errors import ControlError
from penstock.dashboard import paging
from penstock.dashboard.forms import NO_FAULTS, Faults, Form, Wrong, checked
from penstock.dashboard.page import get, post
from penstock.dashboard.providers import fields
from penstock.dashboard.visit import Visit
from penstock.model.token import Scope

LIST = "/ui/providers"


async def show(visit: Visit) -> Response:
    """A token that is limited to gateways sees those that everybody has."""
    own: list[dict[str, Any]] = []
    total = 0
    if not visit.limited:
        asked = {"page": paging.number(visit), "per_page": paging.PER_PAGE, "order_by": "position ASC"}
        own, total = await service.page(visit.context, CustomPaging.model_validate(asked))
    return visit.html(
        "providers/page.html",
        own=own,
        pages=paging.pages(visit, total),
        known=catalogue.providers(visit.control),
    )


async def new(visit: Visit) -> Response:
    return _new(visit, Form([("enable", "true")]))


async def create(visit: Visit) -> Response:
    form = await visit.form()
    try:
        body = {name: value for name, value in fields.body(form).items() if value not in (None, "")}
        made = await service.create(visit.context, checked(CustomCreate, body))
    except Wrong as error:
        return _new(visit, form, error.faults)
    except ControlError as error:
        return _new(visit, form, Faults.of(error))
    acts = f"call it as custom-{made['slug']}" if made["enable"] else "it can be called once it is enabled"
    return visit.done(LIST, f"The provider {made['name']} was made: {acts}.")


async def one(visit: Visit) -> Response:
    provider = await service.get(visit.context, visit.path("provider"))
    return _one(visit, provider, Form(fields.shown(provider)))


async def change(visit: Visit) -> Response:
    form, provider_id = await visit.form(), visit.path("provider")
    provider = await service.get(visit.context, provider_id)
    try:
        body = fields.body(form)
        await service.update(visit.context, provider_id, checked(CustomUpdate, body))
    except Wrong as error:
        return _one(visit, provider, form, error.faults)
    except ControlError as error:
        return _one(visit, provider, form, Faults.of(error))
    return visit.done(LIST, f"The provider {body['name']} was saved.")


async def delete(visit: Visit) -> Response:
    provider = await service.delete(visit.context, visit.path("provider"))
    return visit.done(LIST, f"The provider {provider['name']} was deleted, and the keys that were stored for it.")


def _new(visit: Visit, form: Form, faults: Faults = NO_FAULTS) -> Response:
    return visit.html("providers/new.html", form=form, fields=fields, faults=faults)


def _one(visit: Visit, provider: dict[str, Any], form: Form, faults: Faults = NO_FAULTS) -> Response:
    return visit.html("providers/one.html", provider=provider, form=form, fields=fields, faults=faults)


ROUTES = (
    get(LIST, show, Scope.READ),
    get(f"{LIST}/new", new, Scope.WRITE),
    post(f"{LIST}/new", create, Scope.WRITE),
    get(f"{LIST}/{{provider}}", one, Scope.READ),
    post(f"{LIST}/{{provider}}", change, Scope.WRITE),
    post(f"{LIST}/{{provider}}/delete", delete, Scope.WRITE),
)
