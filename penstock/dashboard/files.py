"""The files that pages load: stylesheet, scripts, and what is vendored. Each has its digest in its address."""

import asyncio
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from fastapi import Request, Response

HERE = Path(__file__).parent
PREFIX = "/ui/static"
KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
_FOREVER = "public, max-age=31536000, immutable"
_DIGITS = 16


class File(NamedTuple):
    """A file that is served."""

    content: bytes
    kind: str


def address(path: str) -> str:
    """Where the browser finds a file, by its path from the dashboard's folder, as ``static/style.css``."""
    return f"{PREFIX}/{_digest()}/{path}"


async def served(request: Request) -> Response:
    """A file, at any digest: a page that is open while Penstock is replaced by another release goes on working."""
    file = (await asyncio.to_thread(_files)).get(request.path_params["path"])
    if file is None:
        return Response("There is no such file.\n", 404, media_type="text/plain")
    fresh = request.path_params["digest"] == _digest()
    headers = {"cache-control": _FOREVER if fresh else "no-store", "x-content-type-options": "nosniff"}
    return Response(file.content, headers=headers | {"content-type": file.kind})


@cache
def _files() -> dict[str, File]:
    return {path: File((HERE / path).read_bytes(), KINDS[Path(path).suffix]) for path in sorted(_paths())}


@cache
def _digest() -> str:
    whole = hashlib.sha256()
    for path, file in _files().items():
        whole.update(f"{path}\0{len(file.content)}\0".encode() + file.content)
    return whole.hexdigest()[:_DIGITS]


def _paths() -> Iterator[str]:
    """Every file of a kind that is served, in the folders of pages too."""
    for path in HERE.rglob("*"):
        if path.suffix in KINDS:
            yield path.relative_to(HERE).as_posix()
