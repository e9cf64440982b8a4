"""The paths that tell how the process is: ``/healthz``, ``/readyz``, ``/metrics``."""

import hmac
import ipaddress
from collections.abc import Awaitable
from typing import Any, Protocol

from fastapi import FastAPI, Request, Response

from penstock.control.kept import Kept
from penstock.core.codec import encode
from penstock.core.errors import PenstockError
from penstock.core.exposition import CONTENT_TYPE
from penstock.core.telemetry import Telemetry


class Process(Protocol):
    """Whoever knows."""

    telemetry: Telemetry

    def unready(self) -> str:
        """What keeps the process from serving; empty: nothing."""
        ...

    def lacking(self) -> str:
        """What it serves without just now; empty: nothing."""
        ...

    def figures(self) -> Awaitable[bytes]:
        """Everything that is measured, of all processes that share the address. Raises PenstockError."""
        ...


_FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-real-ip")  # a proxy in between speaks for somebody else
_REFUSED = "The metrics need the token of the setting metrics_token, as Authorization: Bearer <token>.\n"
_ELSEWHERE = "The metrics are for this machine alone, unless the setting metrics_token is set.\n"
_LARGE = 256 * 1024  # bytes of figures that are kept for a second: so many take a tenth of it to make


def _seconds(figures: bytes) -> float:
    return 1.0 if len(figures) > _LARGE else 0.0


def add(app: FastAPI, process: Process, metrics_token: str) -> None:
    """Adds the routes. ``metrics_token``: what /metrics asks for; empty: it answers this machine alone."""

    async def healthz(_: object) -> Response:
        return _json(200, {"status": "ok"})

    async def readyz(_: object) -> Response:
        if reason := process.unready():
            return _json(503, {"status": "unavailable", "reason": reason})
        lacking = process.lacking()
        return _json(200, {"status": "ok"} | ({"lacking": lacking} if lacking else {}))

    async def figures() -> bytes:
        return await process.figures()

    measured = Kept(figures, _seconds)

    async def metrics(request: Request) -> Response:
        if metrics_token and not _bears(request, metrics_token):
            return Response(_REFUSED, 401, {"www-authenticate": "Bearer"}, "text/plain")
        if not metrics_token and not _is_local(request):
            return Response(_ELSEWHERE, 403, media_type="text/plain")
        try:
            return Response(await measured.get(), media_type=CONTENT_TYPE)
        except PenstockError as error:
            return Response(f"{error.message}\n", error.status, media_type="text/plain")

    for path, endpoint in (("/healthz", healthz), ("/readyz", readyz), ("/metrics", metrics)):
        app.add_route(path, endpoint, include_in_schema=False)  # plain routes: probes ask often


def _bears(request: Request, token: str) -> bool:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())


def _is_local(request: Request) -> bool:
    """Whether the request comes from this machine itself. What a proxy hands on does not, wherever the proxy is."""
    if request.client is None or any(name in request.headers for name in _FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.client.host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _json(status: int, body: dict[str, Any]) -> Response:
    return Response(encode(body), status, media_type="application/json")
