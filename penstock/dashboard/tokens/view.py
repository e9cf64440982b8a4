"""Tokens: what opens the gateway and its API, and what each of them may do."""

import secrets
from hashlib import sha256
from typing import Any

from fastapi import Response

from penstock.control.gateways import service as gateways
from penstock.control.gateways.schema import GatewayPaging
from penstock.control.tokens import service
from penstock.control.tokens.schema import NewToken, TokenUpdate
from penstock.core.errors import Conflict, ControlError
from penstock.dashboard import paging
from penstock.dashboard.forms import NO_FAULTS, Faults, Form, Wrong, checked
from penstock.dashboard.page import SIGN_IN, get, post
from penstock.dashboard.tokens import fields
from penstock.dashboard.visit import Visit
from penstock.model.token import SCOPES, Scope

LIST = "/ui/tokens"
MOST_BOXES = 50  # gateways; others are typed


async def show(visit: Visit) -> Response:
    rows, total = await service.page(visit.context, paging.asked(visit))
    pages = paging.pages(visit, total)
    return visit.html(
        "tokens/page.html", tokens=rows, pages=pages, span=fields.span, makes=_makes(visit), scopes=len(SCOPES)
    )


async def new(visit: Visit) -> Response:
    scopes = [("scopes", Scope.RUN)] if visit.may(Scope.RUN) else []
    return await _form(visit, Form(scopes))


async def create(visit: Visit) -> Response:
    """Answers the page with the secret itself: it is in no address and no cookie. The form makes one token only, so
    that loading the page again makes no other.
    """
    form = await visit.form()
    once = form.text("once")
    chosen = sha256(f"{visit.session.id} {once}".encode()).hexdigest()[:32] if once else ""
    try:
        made = await service.create(visit.context, checked(NewToken, fields.body(form)).wish(), chosen)
    except Wrong as error:
        return await _form(visit, form, error.faults)
    except Conflict:
        return visit.done(LIST, "That token was made. Its secret is shown once, so it cannot be shown again.")
    except ControlError as error:
        return await _form(visit, form, Faults.of(error))
    return visit.html("tokens/made.html", made=made)


async def one(visit: Visit) -> Response:
    token = await service.get(visit.context, visit.path("token"))
    return _one(visit, token, Form(fields.shown(token)))


async def change(visit: Visit) -> Response:
    form, token_id = await visit.form(), visit.path("token")
    token = await service.get(visit.context, token_id)
    changes = fields.changed(form, token)
    try:
        await service.update(visit.context, token_id, checked(TokenUpdate, changes))
    except Wrong as error:
        return _one(visit, token, form, error.faults)
    except ControlError as error:
        return _one(visit, token, form, Faults.of(error))
    said = "was changed" if changes else "is as it was"
    return visit.done(f"{LIST}/{token_id}", f"The token {token['name']} {said}.")


async def revoke(visit: Visit) -> Response:
    token = await service.revoke(visit.context, visit.path("token"))
    if token["id"] == visit.session.token.id:
        return visit.go(SIGN_IN)
    return visit.done(LIST, f"The token {token['name']} was revoked: it opens nothing any more.")


def _makes(visit: Visit) -> bool:
    """Whether the token of this session may make and change others."""
    return visit.may(Scope.WRITE) and not visit.session.token.is_bound()


async def _form(visit: Visit, form: Form, faults: Faults = NO_FAULTS) -> Response:
    rows, _ = await gateways.page(visit.context, GatewayPaging.model_validate({"per_page": MOST_BOXES}))
    boxes = [row["id"] for row in rows]
    others = [*form.lines("other_gateways"), *(name for name in form.all("gateways") if name not in boxes)]
    given: dict[str, Any] = {
        "form": form,
        "scopes": [(scope, fields.MEANINGS[scope]) for scope in SCOPES if visit.may(scope)],
        "gateways": boxes,
        "others": others,
        "once": secrets.token_hex(16),
        "fields": fields,
    }
    return visit.html("tokens/new.html", faults=faults, **given)


def _one(visit: Visit, token: dict[str, Any], form: Form, faults: Faults = NO_FAULTS) -> Response:
    own = token["id"] == visit.session.token.id
    given: dict[str, Any] = {"token": token, "form": form, "fields": fields, "makes": _makes(visit), "own": own}
    return visit.html("tokens/one.html", faults=faults, **given)


ROUTES = (
    get(LIST, show, Scope.READ),
    get(f"{LIST}/new", new, Scope.WRITE),
    post(f"{LIST}/new", create, Scope.WRITE),
    get(f"{LIST}/{{token}}", one, Scope.READ),
    post(f"{LIST}/{{token}}", change, Scope.WRITE),
    post(f"{LIST}/{{token}}/revoke", revoke, Scope.WRITE),
)
