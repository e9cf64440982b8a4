"""The control plane's application: every route, and what is said where one refuses."""

import asyncio
from functools import partial
from itertools import islice
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

import penstock
from penstock.control import operations, spending_limit, urls
from penstock.control.alerts import routes as alerts
from penstock.control.analytics import routes as analytics
from penstock.control.audit import routes as audit
from penstock.control.billing import routes as billing
from penstock.control.cache import routes as cache
from penstock.control.custom_providers import routes as custom_providers
from penstock.control.gateways import routes as gateways
from penstock.control.gateways import spend
from penstock.control.graphql import routes as graphql
from penstock.control.invoices import routes as invoices
from penstock.control.kept import Kept, forever
from penstock.control.logs import routes as logs
from penstock.control.problems import problems
from penstock.control.provider_configs import routes as provider_configs
from penstock.control.rest import MOST_ERRORS
from penstock.control.routes import routes
from penstock.control.tokens import routes as tokens
from penstock.control.topups import routes as topups
from penstock.control.topups import webhook
from penstock.core.codec import encode
from penstock.core.errors import Bug, ControlError, Invalid, NoRoute, NotAllowed, PenstockError
from penstock.core.roles import PARTS, Part
from penstock.storage.errors import StoreUnavailable

ROUTERS: tuple[APIRouter, ...] = (
    gateways.router,
    spend.router,
    provider_configs.router,
    routes.router,
    cache.router,
    custom_providers.router,
    alerts.router,
    logs.router,
    analytics.router,
    graphql.router,
    tokens.router,
    tokens.user_router,
    spending_limit.router,
    topups.router,
    billing.router,
    invoices.router,
    audit.router,
    urls.router,
)

_ELSEWHERE = (
    "/client/{path:path}",
    "/docs",
    "/openapi.json",
    "/",
    "/ui/{path:path}",
)  # where the API is in a process that serves it


def application(process: operations.Process, role: str = "all", metrics_token: str = "") -> FastAPI:
    """The ASGI application of a process with that role. Where it serves the API, ``app.state.control`` (a ``Control``)
    must be set before the first request.
    """
    here = Part.API in PARTS[role]
    app = Api(
        title="Penstock",
        version=penstock.__version__,
        summary="A self-hosted AI gateway: its control plane.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        exception_handlers={
            ControlError: _refused,
            StoreUnavailable: _refused,
            RequestValidationError: _invalid,
            HTTPException: _no_route,
            Exception: _bug,
        },
        redirect_slashes=False,  # it would send clients to a place of their own Host header
    )
    operations.add(app, process, metrics_token)
    if here:
        for router in ROUTERS:  # as they are: FastAPI would make all of them anew while the first request waits
            app.router.routes.extend(router.routes)
        webhook.add(app, process.telemetry.payment_webhooks)
        _describe(app)
    else:
        for path in _ELSEWHERE:
            app.router.routes.append(Route(path, _Elsewhere(role), include_in_schema=False))
    return app


class _Elsewhere:
    """Tells whoever asks for the API, by whatever method, that it is not here."""

    def __init__(self, role: str) -> None:
        self._sentence = Part.API.absent(role)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await refusal(NoRoute(self._sentence))(scope, receive, send)


class Api(FastAPI):
    """Its document says how callers show who they are, and nothing of FastAPI's 422, which is a 400 here."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is not None:
            return self.openapi_schema
        document = super().openapi()
        for path, methods in document["paths"].items():
            for operation in methods.values():
                operation["responses"].pop("422", None)
                operation.get("parameters", []).sort(key=partial(_position, path))
        for shape in ("HTTPValidationError", "ValidationError"):
            document["components"]["schemas"].pop(shape, None)
        document["components"]["securitySchemes"] = _SECURITY
        document["security"] = [{"token": []}, {"email": [], "key": []}, {"service_key": []}]
        return document


def _position(path: str, parameter: dict[str, Any]) -> int:
    """Those of the path come first, as they stand in it."""
    return path.index(f"{{{parameter['name']}}}") if parameter["in"] == "path" else len(path)


_SECURITY = {
    "token": {"type": "http", "scheme": "bearer", "description": "A token with the permission of the address."},
    "email": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Auth-Email",
        "description": "The e-mail address stored with the token that comes as X-Auth-Key.",
    },
    "key": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Auth-Key",
        "description": "A token with every permission.",
    },
    "service_key": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Auth-User-Service-Key",
        "description": "A token, as with Bearer.",
    },
}


def _describe(app: Api) -> None:
    """Adds the API's document. It is made once, beside the loop: that takes a second."""

    async def made() -> bytes:
        return await asyncio.to_thread(lambda: encode(app.openapi()))

    document = Kept(made, forever)

    async def openapi(_: Request) -> Response:
        return Response(await document.get(), media_type="application/json")

    app.add_route("/openapi.json", openapi, include_in_schema=False)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, PenstockError)
    return refusal(error)


def refusal(error: PenstockError) -> Response:
    """A refusal in the envelope. SDKs would try a 409 or a 429 again unless told that it is final."""
    told: dict[str, Any] = {"code": error.code if isinstance(error, ControlError) else 7000, "message": error.message}
    if isinstance(error, ControlError):
        if error.path:
            told["path"] = error.path
        if error.cause is not None:
            told["error_chain"] = [{"code": error.cause, "message": error.message}]
    return _failure(error.status, [told], error.retry_after)


def _failure(status: int, errors: list[dict[str, Any]], retry_after: int | None = None) -> Response:
    body = {"success": False, "errors": errors, "messages": [], "result": None}
    headers = {"x-should-retry": "false"} if status < 500 else {}  # noqa: PLR2004
    if retry_after is not None:
        headers["retry-after"] = str(retry_after)
    return Response(encode(body), status, headers, media_type="application/json")


async def _bug(_: Request, _error: Exception) -> Response:
    """A fault of ours; the server logs it."""
    return refusal(Bug())


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return _failure(400, list(islice(problems(error.errors()), MOST_ERRORS)))


def _methods(request: Request) -> set[str]:
    """What an address takes, over all routes that it matches; the router would name those of the first."""
    found: set[str] = set()
    scope = {**request.scope, "method": ""}
    for route in request.app.routes:
        if isinstance(route, Route) and route.matches(scope)[0] is not Match.NONE:
            found |= route.methods or set()
    return found | ({"HEAD"} if "GET" in found else set())


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:  # noqa: PLR2004
        return refusal(NoRoute(f"Could not route to {request.url.path}, perhaps your object identifier is invalid?"))
    if error.status_code == 405:  # noqa: PLR2004
        answer = refusal(NotAllowed())
        answer.headers["allow"] = ", ".join(sorted(_methods(request)))
        return answer
    return refusal(Invalid("body: cannot be read as JSON", path=("body",)))  # bad UTF-8, no end of brackets or digits
