"""``penstock migrate``: brings the database's schema up to date, for PostgreSQL in two steps."""

from collections.abc import Iterable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated

import typer

from penstock.cli import store
from penstock.cli.store import Config, DatabaseUrl, DataDir
from penstock.storage import opening, schema, sqlite_file
from penstock.storage.errors import StoreUnavailable
from penstock.storage.revisions import REVISIONS, Step, due, needs


def migrate(
    finish: Annotated[
        bool, typer.Option("--finish", help="Also what no process of an older version would survive: stop them first.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    config: Config = None,
) -> None:
    """Bring the database's tables up to date.

    With PostgreSQL, run it when a new version is installed and before its processes start; those of the version before
    go on serving meanwhile. When they have all been replaced, run it again with --finish. An SQLite file is brought up
    to date when its server starts, and here only while no server runs.
    """
    from penstock.storage.migrations import run

    with store.failing("migrate"), ExitStack() as held:
        settings = store.read(data_dir, database_url, config)
        url = settings.database_url or opening.url_in(settings.data_dir)
        if not opening.is_shared(url):
            _refuse_missing(sqlite_file.file_of(url))
            held.enter_context(schema.take(url))
        connection = held.enter_context(closing(opening.connect(url)))
        schema.pending(connection, url)  # refuses what a newer version wrote
        at = schema.revision(connection)
        now, later = due(run.steps(), at, finish=finish or not opening.is_shared(url))
        if opening.is_shared(url):
            _refuse_older(schema.older_processes(connection, needs(now)))
        if now and not dry_run:
            at = run.upgrade(url, now[-1].revision)
            now = [step for step in now if at is None or step.revision > at]
        _tell(opening.shown(url), at, now, later, dry_run=dry_run)


def _refuse_missing(file: Path) -> None:
    if not file.is_file():
        raise StoreUnavailable(f"There is no database at {file}: start the server once, or name another one.")


def _refuse_older(places: Iterable[str]) -> None:
    if where := ", ".join(places):
        raise StoreUnavailable(
            f"Processes of an older version, which would not survive this, use the database (from {where}): replace or "
            "stop them first."
        )


def _tell(name: str, at: str | None, now: list[Step], later: list[Step], *, dry_run: bool) -> None:
    if not now:
        what = "up to date" if at in REVISIONS else "of a newer version, which this one can use"
        typer.echo(f"The database {name} is {what}, at revision {at}.")
    else:
        what = "would be brought" if dry_run else "was brought"
        typer.echo(f"The database {name} {what} from {at or 'nothing'} to revision {now[-1].revision}:")
        _list(now)
    if later:
        typer.echo("Left for `penstock migrate --finish`, when no process of an older version runs any more:")
        _list(later)


def _list(steps: list[Step]) -> None:
    for step in steps:
        typer.echo(f"  {step.revision}  {step.sentence}")
