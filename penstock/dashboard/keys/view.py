"""Provider keys: what a gateway sends on to providers, so that nobody who calls it needs to know them."""

from typing import Any

from fastapi import Response

from penstock.control.custom_providers import service as custom_providers
from penstock.control.custom_providers.schema import CustomPaging
from penstock.control.gateways import service as gateways
from penstock.control.gateways.schema import DEFAULT, GatewayPaging
from penstock.control.provider_configs import asking, service
from penstock.control.provider_configs.schema import ProviderConfigCreate, ProviderConfigUpdate
from penstock.core.errors import ControlError, NotFound
from penstock.dashboard import paging
from penstock.dashboard.forms import NO_FAULTS, Faults, Form, Wrong, checked
from penstock.dashboard.keys import fields
from penstock.dashboard.page import get, post
from penstock.dashboard.visit import Visit
from penstock.model.token import Scope
from penstock.providers import catalog

LIST = "/ui/keys"
MOST_OPTIONS = 1000


async def show(visit: Visit) -> Response:
    names = await _gateways(visit)
    gateway = visit.query.get("gateway") or names[0]
    try:
        rows, total = await service.page(visit.context, gateway, paging.asked(visit))
    except NotFound:
        if gateway != DEFAULT:
            raise
        rows, total = [], 0  # its first key makes it
    return visit.html(
        "keys/page.html",
        gateway=gateway,
        gateways=names,
        keys=rows,
        pages=paging.pages(visit, total),
        standing=fields.standing,
    )


async def new(visit: Visit) -> Response:
    return await _new(visit, Form([("alias", "default"), ("default_config", "true")]))


async def create(visit: Visit) -> Response:
    gateway, provider = visit.path("gateway"), _provider(visit)
    form = await visit.form()
    asked = fields.body(form, _shape(provider)) | {"provider_slug": provider}
    try:
        body = checked(ProviderConfigCreate, asked)
        made = await service.create(visit.context, gateway, body)
    except Wrong as error:
        return await _new(visit, form, error.faults)
    except ControlError as error:
        return await _new(visit, form, Faults.of(error))
    told = [message["message"] for message in service.messages(made, body.secret)]
    said = f"The key {made['alias']} of {made['provider_slug']} was stored: calls use it from now on."
    return visit.done(f"{LIST}?gateway={gateway}", " ".join(told) or said)


async def one(visit: Visit) -> Response:
    key = await service.get(visit.context, visit.path("gateway"), visit.path("key"))
    return _one(visit, key, Form(fields.shown(key)))


async def change(visit: Visit) -> Response:
    gateway, key_id = visit.path("gateway"), visit.path("key")
    key = await service.get(visit.context, gateway, key_id)
    form = await visit.form()
    try:
        body = checked(ProviderConfigUpdate, fields.body(form, _shape(key["provider_slug"])))
        await service.update(visit.context, gateway, key_id, body)
    except Wrong as error:
        return _one(visit, key, form, error.faults)
    except ControlError as error:
        return _one(visit, key, form, Faults.of(error))
    return visit.done(f"{LIST}?gateway={gateway}", f"The key {body.alias} of {key['provider_slug']} was saved.")


async def test(visit: Visit) -> Response:
    """Asks the provider; the answer stands on the key's page."""
    gateway, key_id = visit.path("gateway"), visit.path("key")
    tested = await asking.ask(visit.context, gateway, key_id)
    key = await service.get(visit.context, gateway, key_id)
    return _one(visit, key, Form(fields.shown(key)), tested=tested)


async def delete(visit: Visit) -> Response:
    gateway = visit.path("gateway")
    key = await service.delete(visit.context, gateway, visit.path("key"))
    return visit.done(f"{LIST}?gateway={gateway}", f"The key {key['alias']} of {key['provider_slug']} was deleted.")


async def _gateways(visit: Visit) -> list[str]:
    """Those that the token may see; ``default`` where there is none, as far as it may."""
    rows, _ = await gateways.page(visit.context, GatewayPaging.model_validate({"per_page": MOST_OPTIONS}))
    names = [row["id"] for row in rows]
    if not names and not visit.session.token.opens(DEFAULT):
        raise NotFound("There is no gateway yet that your token opens.")
    return names or [DEFAULT]


async def _new(visit: Visit, form: Form, faults: Faults = NO_FAULTS) -> Response:
    provider = _provider(visit)
    given: dict[str, Any] = {
        "gateway": visit.path("gateway"),
        "provider": provider,
        "providers": await _providers(visit, provider),
        "form": form,
        "shape": _shape(provider),
        "row": catalog.load().get(provider),
        "fields": fields,
    }
    return visit.html("keys/new.html", faults=faults, **given)


def _one(
    visit: Visit, key: dict[str, Any], form: Form, faults: Faults = NO_FAULTS, tested: asking.Tested | None = None
) -> Response:
    provider = key["provider_slug"]
    given: dict[str, Any] = {
        "gateway": key["gateway_id"],
        "provider": provider,
        "key": key,
        "tested": tested,
        "form": form,
        "shape": _shape(provider),
        "row": catalog.load().get(provider),
        "fields": fields,
        "standing": fields.standing,
    }
    return visit.html("keys/one.html", faults=faults, **given)


def _provider(visit: Visit) -> str:
    return visit.query.get("provider") or "openai"


def _shape(provider: str) -> str:
    row = catalog.load().get(provider)
    return "" if row is None else row.credential_json


async def _providers(visit: Visit, chosen: str) -> list[tuple[str, str]]:
    """Ids of the catalogue and, as far as the token may see them, of the account's own providers."""
    own: list[str] = []
    if not visit.limited:
        rows, _ = await custom_providers.page(visit.context, CustomPaging.model_validate({"per_page": 100}))
        own = [service.CUSTOM + row["slug"] for row in rows]
    known = {row.id for row in catalog.load().values()}
    return [(name, name) for name in dict.fromkeys([*sorted(known), *own, chosen])]


ROUTES = (
    get(LIST, show, Scope.READ),
    get(f"{LIST}/{{gateway}}/new", new, Scope.WRITE),
    post(f"{LIST}/{{gateway}}/new", create, Scope.WRITE),
    get(f"{LIST}/{{gateway}}/{{key}}", one, Scope.READ),
    post(f"{LIST}/{{gateway}}/{{key}}", change, Scope.WRITE),
    post(f"{LIST}/{{gateway}}/{{key}}/test", test, Scope.WRITE),
    post(f"{LIST}/{{gateway}}/{{key}}/delete", delete, Scope.WRITE),
)
