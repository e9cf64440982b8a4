"""The paths that tell how the process is: ``/healthz``, ``/readyz``, ``/metrics``."""

from collections.abc import Callable

from fastapi import FastAPI, Response

from penstock.core.codec import encode
from penstock.core.telemetry import CONTENT_TYPE, Telemetry


def add(app: FastAPI, telemetry: Telemetry, ready: Callable[[], str]) -> None:
    """Adds the routes. ``ready`` returns what keeps the process from serving; empty: nothing."""

    async def healthz(_: object) -> Response:
        return _json(200, {"status": "ok"})

    async def readyz(_: object) -> Response:
        reason = ready()
        return _json(503, {"status": "unavailable", "reason": reason}) if reason else _json(200, {"status": "ok"})

    async def metrics(_: object) -> Response:
        return Response(telemetry.render(), media_type=CONTENT_TYPE)

    for path, endpoint in (("/healthz", healthz), ("/readyz", readyz), ("/metrics", metrics)):
        app.add_route(path, endpoint, include_in_schema=False)  # plain routes: probes ask often


def _json(status: int, body: object) -> Response:
    return Response(encode(body), status, media_type="application/json")
