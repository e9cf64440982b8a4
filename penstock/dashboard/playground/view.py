"""The playground: any model on any surface, up to three of them side by side."""

from typing import Any, NamedTuple

from fastapi import Response

from penstock.control.gateways import service as gateways
from penstock.control.gateways.schema import GatewayPaging
from penstock.control.logs import service as logs
from penstock.core import codec
from penstock.core.codec import DecodeError
from penstock.core.errors import Invalid, NotFound
from penstock.dashboard import as_code
from penstock.dashboard.page import get, post
from penstock.dashboard.playground import surfaces
from penstock.dashboard.snippets import base
from penstock.dashboard.visit import Visit
from penstock.model.token import Scope

MOST_GATEWAYS = 100
MOST_SHOWN = 256 * 1024  # characters of a stored body that is tried again
COLUMNS = 3


class Start(NamedTuple):
    """A call to begin with. ``said``: what could not be taken over."""

    gateway: str = ""
    path: str = ""
    body: str = ""
    said: str = ""


async def show(visit: Visit) -> Response:
    start = await _start(visit)
    names = await _gateways(visit)
    return visit.html(
        "playground/page.html",
        gateway_options=[(name, name) for name in names],
        surfaces=surfaces.SURFACES,
        start=start,
        columns=range(1, COLUMNS + 1),
        base=f"/v1/{visit.context.account}",
    )


async def result(visit: Visit) -> Response:
    """What the log says of a call that the playground has made."""
    gateway, log_id = visit.path("gateway"), visit.path("log_id")
    row = await logs.get(visit.context, gateway, log_id)
    return visit.html("playground/result.html", row=row, gateway=gateway)


async def code(visit: Visit) -> Response:
    """The same call as code."""
    form = await visit.form()
    try:
        body = codec.decode(form.whole("body").encode())
    except DecodeError as error:
        raise Invalid(f"body: is not JSON: {error}", path=("body", "body")) from None
    headers = {
        name: value
        for name, _, value in (line.partition(":") for line in form.lines("headers"))
        if name.strip() and value.strip()
    }
    told = as_code.snippets(base(visit), visit.context.account, form.text("gateway"), form.text("path"), body, headers)
    return visit.html("playground/code.html", told=told)


async def _gateways(visit: Visit) -> list[str]:
    if not visit.may(Scope.READ):
        return sorted(visit.context.limited_to or {"default"})
    asked = GatewayPaging.model_validate({"per_page": MOST_GATEWAYS})
    rows, _ = await gateways.page(visit.context, asked)
    return [row["id"] for row in rows]


async def _start(visit: Visit) -> Start:
    """The call of the log that ``?from=gateway/id`` names."""
    gateway, _, log_id = visit.query.get("from", "").partition("/")
    if not log_id:
        return Start(gateway=visit.query.get("gateway", ""))
    if not visit.may(Scope.READ):
        return Start(gateway, said="Your token may not read bodies, so the call cannot be taken over.")
    row: dict[str, Any] = await logs.get(visit.context, gateway, log_id)
    path = surfaces.path_of(row)
    try:
        stored = await logs.body(visit.context, gateway, log_id, "request", raw=True)
        text = codec.indented(codec.decode(stored.content))
    except (NotFound, *DecodeError):
        return Start(gateway, path, said="The log has no request body that can be sent again.")
    if len(text) > MOST_SHOWN:
        return Start(gateway, path, said="The request body is too large to be shown here.")
    return Start(gateway, path, text)


ROUTES = (
    get("/ui/playground", show, Scope.RUN),
    get("/ui/playground/result/{gateway}/{log_id}", result, Scope.READ, Scope.METADATA),
    post("/ui/playground/code", code, Scope.RUN),
)
