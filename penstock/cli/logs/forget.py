"""``penstock logs forget``: takes all that belongs to one value of metadata, such as a user, out of the log."""

import sys
import time
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from penstock.cli import store
from penstock.cli.logs.progress import progress
from penstock.core.errors import Invalid, NotFound
from penstock.storage import opening
from penstock.storage.log import forget as log
from penstock.storage.log.name_reap import Sweep
from penstock.storage.sql import Sql

if TYPE_CHECKING:
    from penstock.control.context import Control

PATIENCE = 10.0  # seconds that the write-ahead log of a file in use is waited for
_ELSEWHERE = (
    "Not in the log, and so not forgotten: answers in the cache (they go with their time, or by purge_cache of the "
    "API), filters of earlier deletions in the audit trail, what was exported, backups, and what the provider keeps."
)
_BUSY = (
    "The write-ahead log is in use: what it holds is overwritten as the server writes. To be sure, stop it and repeat."
)
_FREE = "What was deleted before, in other ways, may be left in free places of the files until --vacuum is given."


def forget(
    metadata: Annotated[str, typer.Option(help="Whose calls: an entry of their metadata.", metavar="KEY=VALUE")],
    gateway: Annotated[str | None, typer.Option(help="Only of the gateway of this id.", metavar="ID")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    vacuum: Annotated[
        bool, typer.Option("--vacuum", help="Write the files anew afterwards: nothing waits in them.")
    ] = False,
    account: store.Account = None,
    data_dir: store.DataDir = None,
    database_url: store.DatabaseUrl = None,
    config: store.Config = None,
) -> None:
    """Take all calls with an entry of metadata out of the log for good: rows, bodies, details, index and roll-ups."""
    with store.failing("logs forget"):
        key, equals, value = metadata.partition("=")
        if not key or not equals:
            raise Invalid("--metadata: must be KEY=VALUE")
        place = store.find(data_dir, database_url, config)
        owner = place.one(account)
        with closing(opening.connect(place.url)) as connection:
            log.thorough(connection)
            numbers = _numbers(connection, owner, gateway)
            wanted = sum(log.count(connection, number, key, value) for number in numbers)
            _ask(wanted, yes=yes)
            rows = _take_out(connection, numbers, key, value, wanted)
            store.run(place, lambda control: _record(control, owner, gateway, key, rows))
            clean = _flush(connection)
        if vacuum:
            opening.vacuum(place.url, log.TABLES)
        typer.echo(f"Forgotten: {rows:,} calls.")
        for line in (_ELSEWHERE, "" if clean or vacuum else _BUSY, "" if vacuum else _FREE):
            if line:
                typer.echo(line, err=True)


def _numbers(connection: Sql, account: str, gateway: str | None) -> list[int]:
    """The account's gateways, deleted ones too; or those of that id. Raises NotFound."""
    sql, values = "SELECT number FROM gateways WHERE account = ?", [account]
    if gateway is not None:
        sql, values = f"{sql} AND id = ?", [account, gateway]
    numbers = [number for (number,) in connection.execute(f"{sql} ORDER BY number", values)]
    if gateway is not None and not numbers:
        raise NotFound(f"there is no gateway {store.printable(gateway)}")
    return numbers


def _ask(rows: int, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise Invalid(f"--yes: {rows:,} calls would be forgotten for good; say --yes, or answer at a terminal")
    typer.confirm(f"Forget {rows:,} calls for good?", abort=True, err=True)


def _take_out(connection: Sql, numbers: Sequence[int], key: str, value: str, wanted: int) -> int:
    rows = rolled = 0
    with progress("Calls", wanted) as advance:
        for number in numbers:
            for gone in log.forget(connection, number, key, value):
                rows += gone
                advance(gone)
            rolled += log.roll_ups(connection, number, key, value)
    with progress("Blocks", None) as advance:
        for seen in log.tidy(connection, numbers):
            advance(seen)
        if rolled:
            sweep = Sweep(connection)
            while sweep.step():
                advance(0)
    return rows


async def _record(control: "Control", account: str, gateway: str | None, key: str, rows: int) -> None:
    """In the audit trail, without the value: it is forgotten."""
    from penstock.storage import audit

    told = {"rows": rows, "metadata": key}
    async with control.database.writing() as connection:
        await audit.add(connection, account, store.user(), "logs.forget", gateway or "", told, None)


def _flush(connection: Sql) -> bool:
    until = time.monotonic() + PATIENCE
    while not (done := log.flush(connection)) and time.monotonic() < until:
        time.sleep(0.2)  # readers that are in the way of the checkpoint tell nobody when they are done
    return done
