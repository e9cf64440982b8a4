"""``penstock logs export``: calls as JSON lines, oldest first."""

import asyncio
import gzip
import os
import sys
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from penstock.cli import store
from penstock.cli.logs import wanted
from penstock.cli.logs.progress import progress
from penstock.cli.logs.wanted import Wanted
from penstock.core import codec
from penstock.core.errors import Invalid, NotFound

if TYPE_CHECKING:
    from penstock.control.context import Context
    from penstock.storage.log.filters import Test

_PAGE = 50

Write = Callable[[bytes], object]


def export(
    to: Annotated[
        Path | None, typer.Option("--to", help="A new file; gzip if it ends in .gz. Without one, standard output.")
    ] = None,
    bodies: Annotated[bool, typer.Option("--bodies", help="With requests and answers, as they are stored.")] = False,
    packed: Annotated[bool, typer.Option("--gzip", help="Compressed, whatever the file is called.")] = False,
    filters: wanted.Filters = None,
    metadata: wanted.Metadata = None,
    provider: wanted.Provider = None,
    model: wanted.Model = None,
    status: wanted.Status = None,
    success: wanted.Success = None,
    cached: wanted.Cached = None,
    since: wanted.Since = None,
    until: wanted.Until = None,
    gateway: store.Gateway = "default",
    account: store.Account = None,
    data_dir: store.DataDir = None,
    database_url: store.DatabaseUrl = None,
    config: store.Config = None,
) -> None:
    """Export the calls of a gateway as JSON lines, oldest first, as the API lists them."""
    with store.failing("logs export"):
        asked = Wanted(filters, metadata, provider, model, status, success, cached, since, until)
        asked.tests()  # before a file is made
        with _opened(to, packed=packed) as write:
            store.act(
                *(data_dir, database_url, config, account),
                lambda context: _write(context, gateway, asked, write, bodies=bodies),
            )


@contextmanager
def _opened(to: Path | None, *, packed: bool) -> Generator[Write]:
    """A new file for its owner alone: it may hold what people said. Gone where it was not finished. Raises Invalid."""
    if to is None:
        with _packed(sys.stdout.buffer, packed=packed) as write:
            yield write
        return
    try:
        raw = os.fdopen(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except OSError as error:
        raise Invalid(f"--to: {to} cannot be made: {error.strerror}") from None
    try:
        with raw, _packed(raw, packed=packed or to.suffix == ".gz") as write:
            yield write
    except BaseException:
        to.unlink(missing_ok=True)
        raise


@contextmanager
def _packed(raw: IO[bytes], *, packed: bool) -> Generator[Write]:
    if not packed:
        yield raw.write
        return
    with gzip.open(raw, "wb") as file:
        yield file.write


async def _write(context: "Context", gateway: str, asked: Wanted, write: Write, *, bodies: bool) -> None:
    from penstock.storage import gateways

    async with context.control.database.reading() as connection:
        row = await gateways.get(connection, context.account, gateway)
    if row is None:
        raise NotFound(f"there is no gateway {store.printable(gateway)}")
    tests = asked.tests()
    with progress("Exported", await _count(context, gateway, tests)) as advance:
        async for rows in _pages(context, gateway, tests):
            kept = await _bodies(context, row.number, rows) if bodies else rows
            for one, more in zip(rows, kept, strict=True):
                write(codec.encode({"gateway": gateway, **one, **more}) + b"\n")
            advance(len(rows))


async def _count(context: "Context", gateway: str, tests: "tuple[Test, ...]") -> int | None:
    """How many there are; None where that takes too long to find out, or nobody watches."""
    from penstock.control.logs import service
    from penstock.control.logs.schema import LogQuery

    if not sys.stderr.isatty():
        return None
    try:
        _, info, *_ = await service.page(
            context, gateway, LogQuery.model_validate({"per_page": 1, "meta_info": True}), tests
        )
    except Invalid:
        return None
    return info["total_count"]


async def _pages(context: "Context", gateway: str, tests: "tuple[Test, ...]") -> AsyncIterator[list[dict[str, Any]]]:
    """All rows in order of time."""
    from penstock.control.logs import service
    from penstock.control.logs.schema import LogQuery

    query: dict[str, Any] = {"per_page": _PAGE, "direction": "asc"}
    while True:
        found = await service.page(context, gateway, LogQuery.model_validate(query), tests)
        yield found.rows
        if "cursor" not in found.info:
            return
        query["cursor"] = found.info["cursor"]


async def _bodies(context: "Context", number: int, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    from penstock.core import ids

    found = await asyncio.gather(*(context.control.logs.bodies(number, ids.parse(row["id"])) for row in rows))
    return [{"request": _text(request), "response": _text(response)} for request, response in found]


def _text(body: bytes | None) -> str | dict[str, str] | None:
    """A body as text; in base64 what is none; None: it was not kept."""
    try:
        return None if body is None else body.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(body or b"").decode()}
