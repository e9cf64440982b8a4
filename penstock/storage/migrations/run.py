"""Runs the migrations; the only module that imports Alembic."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from penstock.storage import opening, sqlite_file
from penstock.storage.errors import StoreUnavailable
from penstock.storage.revisions import Step, needs

HERE = Path(__file__).parent
LOCK = 7_052_001  # number of the advisory lock that whoever migrates holds: servers may start at the same time
_PATIENCE = "60s"  # for that lock, and for tables that others use


def config(folder: Path = HERE) -> Config:
    """Alembic's configuration, without a file of its own."""
    made = Config()
    made.set_main_option("script_location", str(folder).replace("%", "%%"))
    return made


def steps(folder: Path = HERE) -> list[Step]:
    """All migrations, oldest first."""
    scripts = list(ScriptDirectory.from_config(config(folder)).walk_revisions())
    return [
        Step(script.revision, script.module.step, script.doc, getattr(script.module, "needs", ""))
        for script in reversed(scripts)
    ]


def upgrade(url: str, target: str, folder: Path = HERE) -> str | None:
    """Brings the database to the revision ``target``, in one transaction. Raises StoreUnavailable.

    Returns the revision it was at when its turn came; another process may have been before. None: it was empty.
    """
    try:
        if opening.is_shared(url):
            with ThreadPoolExecutor(1) as thread:  # whoever asks may have a loop of their own
                return thread.submit(asyncio.run, _upgrade_postgres(url, partial(_migrate, target, folder))).result()
        else:
            return _upgrade_sqlite(sqlite_file.file_of(url), partial(_migrate, target, folder))
    except DBAPIError as error:
        raise StoreUnavailable(f"Cannot bring the database {opening.shown(url)} up to date: {error.orig}") from error


def _migrate(target: str, folder: Path, connection: Connection) -> str | None:
    at = MigrationContext.configure(connection).get_current_revision()
    made = config(folder)
    made.attributes["connection"] = connection
    command.upgrade(made, target)
    needed = needs([step for step in steps(folder) if step.revision <= target])
    raised = text("UPDATE configuration SET compatible = :needed WHERE compatible < :needed")
    if needed:
        connection.execute(raised, {"needed": needed})
    return at


def _upgrade_sqlite(file: Path, migrate: Any) -> str | None:
    engine = create_engine(URL.create("sqlite", database=str(file)))

    # The driver begins transactions only before INSERT and its like; the schema must change whole or not at all.
    @event.listens_for(engine, "connect")
    def _connect(connection: object, _record: object) -> None:  # pyright: ignore[reportUnusedFunction]
        connection.isolation_level = None  # type: ignore[attr-defined]

    @event.listens_for(engine, "begin")
    def _begin(connection: object) -> None:  # pyright: ignore[reportUnusedFunction]
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # type: ignore[attr-defined]

    with engine.begin() as connection:
        at = migrate(connection)
    engine.dispose()
    return at


async def _upgrade_postgres(url: str, migrate: Any) -> str | None:
    from penstock.storage.postgres import open_connection  # noqa: PLC0415  only those who use PostgreSQL load the driver

    connect = partial(open_connection, url, reading=False, statement=0.0)
    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.execute(text(f"SET LOCAL lock_timeout = '{_PATIENCE}'"))
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
            return await connection.run_sync(migrate)
    finally:
        await engine.dispose()
