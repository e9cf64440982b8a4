"""The paths that tell how the process is: ``/healthz``, ``/readyz``, ``/metrics``."""

from collections.abc import Awaitable
from typing import Any, Protocol

from fastapi import FastAPI, Response

from penstock.control.kept import Kept
from penstock.core.codec import encode
from penstock.core.errors import PenstockError
from penstock.core.exposition import CONTENT_TYPE


class Process(Protocol):
    """Whoever knows."""

    def unready(self) -> str:
        """What keeps the process from serving; empty: nothing."""
        ...

    def lacking(self) -> str:
        """What it serves without just now; empty: nothing."""
        ...

    def figures(self) -> Awaitable[bytes]:
        """Everything that is measured, of all processes that share the address. Raises PenstockError."""
        ...


_LARGE = 256 * 1024  # bytes of figures that are kept for a second: so many take a tenth of it to make


def _seconds(figures: bytes) -> float:
    return 1.0 if len(figures) > _LARGE else 0.0


def add(app: FastAPI, process: Process) -> None:
    """Adds the routes."""

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

    async def metrics(_: object) -> Response:
        try:
            return Response(await measured.get(), media_type=CONTENT_TYPE)
        except PenstockError as error:
            return Response(f"{error.message}\n", error.status, media_type="text/plain")

    for path, endpoint in (("/healthz", healthz), ("/readyz", readyz), ("/metrics", metrics)):
        app.add_route(path, endpoint, include_in_schema=False)  # plain routes: probes ask often


def _json(status: int, body: dict[str, Any]) -> Response:
    return Response(encode(body), status, media_type="application/json")
