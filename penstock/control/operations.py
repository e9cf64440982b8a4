"""The paths that tell how the process is: ``/healthz``, ``/readyz``, ``/metrics``."""

from collections.abc import Callable, Mapping

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Lifespan

from penstock.core.codec import encode
from penstock.core.telemetry import CONTENT_TYPE, Telemetry


def application(telemetry: Telemetry, ready: Callable[[], str], lifespan: Lifespan[Starlette]) -> Starlette:
    """The ASGI application. ``ready`` returns what keeps the process from serving; empty: nothing."""

    async def healthz(_: Request) -> Response:
        return _json(200, {"status": "ok"})

    async def readyz(_: Request) -> Response:
        reason = ready()
        return _json(503, {"status": "unavailable", "reason": reason}) if reason else _json(200, {"status": "ok"})

    async def metrics(_: Request) -> Response:
        return Response(telemetry.render(), media_type=CONTENT_TYPE)

    routes = [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]
    made = Starlette(routes=routes, lifespan=lifespan, exception_handlers={HTTPException: _refused})
    made.router.redirect_slashes = False  # it would send clients to a place of their own Host header
    return made


async def _refused(request: Request, error: Exception) -> Response:
    """The control plane's envelope (specification of the data plane, 15.5)."""
    assert isinstance(error, HTTPException)
    code = {404: 7003, 405: 7001}.get(error.status_code, 7001)
    message = f"Could not route to {request.url.path}" if error.status_code == 404 else error.detail  # noqa: PLR2004
    body = {"success": False, "errors": [{"code": code, "message": message}], "messages": [], "result": None}
    return _json(error.status_code, body, error.headers)


def _json(status: int, body: object, headers: Mapping[str, str] | None = None) -> Response:
    return Response(encode(body), status, headers, media_type="application/json")
