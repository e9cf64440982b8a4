"""``penstock logs``: reading the log beside a running server, without asking it."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from penstock.cli import store
from penstock.core import codec
from penstock.storage import opening, schema
from penstock.storage.errors import StoreUnavailable
from penstock.storage.log.columns import BY_NAME, NANO
from penstock.storage.log.reader import LogReader, LogRow
from penstock.storage.log.tail import Tail

POLL_SECONDS = 0.25
_MICRO = 1000  # nano-dollars

app = typer.Typer(no_args_is_help=True, help="Read the log.")


@app.callback()
def logs() -> None:
    """Read the log."""


@app.command()
def tail(
    count: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of the newest rows.")] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new rows until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, with every field.")] = False,
    gateway: Annotated[str | None, typer.Option(help="Only the gateway of this id.")] = None,
    data_dir: Annotated[str | None, typer.Option(help="Where the server keeps its data.", metavar="PATH")] = None,
    database_url: Annotated[str | None, typer.Option(help="Where the database is, if not there.")] = None,
    config: Annotated[str | None, typer.Option(help="The server's configuration file.", metavar="FILE")] = None,
) -> None:
    """Show the newest calls, oldest of them first. Finds the log where `penstock serve`, started here, would put it."""
    with store.failing("logs tail"):
        settings = store.read(data_dir, database_url, config)
        with closing(open_reader(settings.database_url or opening.url_in(settings.data_dir))) as reader:
            show = _show_json if as_json else _table()
            with suppress(KeyboardInterrupt):
                for rows in batches(reader, count, gateway, follow=follow):
                    show(rows)
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
    shown["created_at"] = _instant(row.created_at)
    shown["cost"] = None if row.cost is None else row.cost / NANO
    shown["score"] = None if row.score is None else row.score / BY_NAME["score"].unit
    return shown | codec.decode(row.detail)


def _show_json(rows: list[LogRow]) -> None:
    for row in rows:
        sys.stdout.write(codec.encode(fields(row)).decode() + "\n")


_COLUMNS = (
    *(("time", 23), ("gateway", 12), ("provider", 10), ("model", 24), ("status", 6), ("outcome", 11), ("cache", 5)),
    *(("in", 7), ("out", 7), ("cost $", 11), ("ms", 7), ("id", 36)),
)
_RIGHT = frozenset({"status", "in", "out", "cost $", "ms"})


def _table() -> Callable[[list[LogRow]], None]:
    """Prints rows under a heading; fixed widths, because rows keep coming. Colour only on a terminal."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    console.print(Text(_line([name for name, _ in _COLUMNS]), style="bold"))

    def show(rows: list[LogRow]) -> None:
        for row in rows:
            console.print(Text(_line(_cells(row)), style="" if row.success else "red"))

    return show


def _cells(row: LogRow) -> list[str]:
    return [
        *(_instant(row.created_at)[:-1].replace("T", " "), row.gateway, row.provider, row.model, str(row.status_code)),
        *(row.outcome, "hit" if row.cached else "-", _number(row.tokens_in), _number(row.tokens_out)),
        *(_dollars(row.cost), str(row.duration), row.id),
    ]


def _line(cells: list[str]) -> str:
    """Cells in their columns; control characters, which callers may have put into names, are shown as dots."""
    return "  ".join(
        (cell.rjust if name in _RIGHT else cell.ljust)(width)
        for (name, width), text in zip(_COLUMNS, cells, strict=True)
        for cell in ["".join(c if c.isprintable() else "·" for c in text)]
    ).rstrip()


def _dollars(nanos: int | None) -> str:
    """To the micro-dollar; to the last digit where that would be less than one."""
    if nanos is None:
        return "-"
    return f"{nanos / 1e9:.{9 if 0 < nanos < _MICRO else 6}f}"


def _number(value: int | None) -> str:
    return "-" if value is None else str(value)


def _instant(millis: int) -> str:
    return datetime.fromtimestamp(millis / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
