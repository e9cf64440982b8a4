"""``penstock logs tail``: the newest calls, and those that follow, without asking the server."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, suppress
from typing import Annotated, Any

import typer

from penstock.cli import store
from penstock.cli.logs.table import Row, table
from penstock.core import codec, instants
from penstock.storage import opening, schema
from penstock.storage.errors import StoreUnavailable
from penstock.storage.log.columns import BY_NAME, NANO
from penstock.storage.log.reader import LogReader, LogRow
from penstock.storage.log.tail import Tail

POLL_SECONDS = 0.25
_SCORE = BY_NAME["score"].unit


def tail(
    count: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of the newest rows.")] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new rows until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, with every field.")] = False,
    gateway: Annotated[str | None, typer.Option(help="Only the gateway of this id.", metavar="ID")] = None,
    data_dir: store.DataDir = None,
    database_url: store.DatabaseUrl = None,
    config: store.Config = None,
) -> None:
    """Show the newest calls, oldest of them first. Finds the log where `penstock serve`, started here, would put it."""
    with store.failing("logs tail"):
        settings = store.read(data_dir, database_url, config)
        with closing(open_reader(settings.database_url or opening.url_in(settings.data_dir))) as reader:
            show = lines if as_json else table()
            with suppress(KeyboardInterrupt):
                for rows in batches(reader, count, gateway, follow=follow):
                    show(map(fields, rows))
                    sys.stdout.flush()


def open_reader(url: str) -> LogReader:
    """The log of that database. Raises StoreUnavailable, also where the schema is not that of this version."""
    with ExitStack() as opened:
        connection = opened.enter_context(closing(opening.connect_reader(url)))
        schema.check(connection, url)
        opened.pop_all()
    return LogReader(connection)


def batches(
    reader: LogReader, count: int, gateway: str | None, *, follow: bool, pause: Callable[[float], None] = time.sleep
) -> Iterator[list[LogRow]]:
    """The newest rows, and then what arrives; oldest first."""
    tail = Tail(reader, gateway)
    yield tail.newest(count)[::-1]
    away = False
    while follow:
        try:
            rows = tail.arrived()
        except StoreUnavailable as error:
            if not away:
                typer.echo(f"penstock logs tail: {error.message} It is waited for.", err=True)
            rows, away = [], True
        else:
            away = False
        if rows:
            yield rows[::-1]
        else:
            pause(POLL_SECONDS)


def fields(row: LogRow) -> dict[str, Any]:
    """Every field of a row under its name in the API; cost in dollars, times in ISO 8601."""
    shown = {name: getattr(row, name) for name in row.__struct_fields__ if name not in ("number", "detail")}
    shown["created_at"] = instants.text(row.created_at)
    shown["cost"] = None if row.cost is None else row.cost / NANO
    shown["score"] = None if row.score is None else row.score / _SCORE
    return shown | codec.decode(row.detail)


def lines(rows: Iterable[Row]) -> None:
    """Prints one JSON object a line."""
    for row in rows:
        sys.stdout.write(codec.encode(row).decode() + "\n")
