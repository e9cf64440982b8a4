"""The reference of the API at ``/docs``: its OpenAPI document as one page, for everybody."""

import asyncio
from typing import Any

from fastapi import Request, Response

from penstock.control import openapi
from penstock.control.kept import Kept, forever
from penstock.control.openapi import Json, Operation
from penstock.dashboard import rendering, security
from penstock.dashboard.page import public
from penstock.dashboard.reference import shape
from penstock.dashboard.visit import Guest

_STATE = "reference"  # where the application keeps the page


async def show(guest: Guest) -> Response:
    """The page, made once for each application, beside the loop: that takes a second."""
    kept = await _kept(guest.request)
    return Response(await kept.get(), 200, security.HEADERS, "text/html; charset=utf-8")


async def _kept(request: Request) -> Kept:
    state = request.app.state
    if not hasattr(state, _STATE):

        async def drawn() -> bytes:
            return await asyncio.to_thread(lambda: page(request.app.openapi()))

        setattr(state, _STATE, Kept(drawn, forever))
    return getattr(state, _STATE)


def page(document: Json) -> bytes:
    """The whole page: every operation under its tag with parameters, body and answers, then every schema by name."""
    schemas: Json = document.get("components", {}).get("schemas", {})
    values: dict[str, Any] = {
        "info": document.get("info", {}),
        "tags": [
            (tag, [_operation(document, operation) for operation in listed])
            for tag, listed in openapi.operations(document).items()
        ],
        "schemas": [_schema(document, name, schema) for name, schema in schemas.items()],
        "anchor": shape.anchor,
        "prose": shape.prose,
    }
    return rendering.page("reference/page.html", values)


def _operation(document: Json, op: Operation) -> dict[str, Any]:
    meant = op.body.get("description", openapi.resolve(document, op.schema).get("description", ""))
    return {
        "op": op,
        "title": op.raw.get("summary", op.id),
        "curl": openapi.curl(document, op),
        "permissions": [str(permission) for permission in op.raw.get("x-permissions", ())],
        "parameters": [shape.parameter(document, given) for given in op.parameters],
        "type": shape.type_of(op.schema),
        "meant": meant,
        "members": shape.members(document, op.schema, deep=True),
        "answers": [_answer(document, *told) for told in op.raw.get("responses", {}).items()],
    }


def _answer(document: Json, status: str, response: Json) -> dict[str, Any]:
    answer = openapi.resolve(document, response)
    kind, schema = openapi.content(answer)
    return {"status": status, "kind": kind, "type": shape.type_of(schema), "when": answer.get("description", "")}


def _schema(document: Json, name: str, schema: Json) -> dict[str, Any]:
    return {
        "name": name,
        "type": shape.type_of(schema),
        "meant": schema.get("description", ""),
        "limits": shape.limits(schema),
        "members": shape.members(document, schema, deep=False),
    }


ROUTES = (public("/docs", show),)
