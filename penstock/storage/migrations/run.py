"""Runs the migrations; the only module that imports Alembic."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DatabaseError

__all__ = ["DatabaseError", "config", "upgrade"]


def config() -> Config:
    """Alembic's configuration, without a file of its own."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return made


def upgrade(file: Path) -> None:
    """Brings the SQLite database in ``file`` to the newest revision, in one transaction."""
    engine = create_engine(URL.create("sqlite", database=str(file)))

    # The driver begins transactions only before INSERT and its like; the schema must change whole or not at all.
    @event.listens_for(engine, "connect")
    def _connect(connection: object, _record: object) -> None:  # pyright: ignore[reportUnusedFunction]
        connection.isolation_level = None  # type: ignore[attr-defined]

    @event.listens_for(engine, "begin")
    def _begin(connection: object) -> None:  # pyright: ignore[reportUnusedFunction]
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # type: ignore[attr-defined]

    made = config()
    with engine.begin() as connection:
        made.attributes["connection"] = connection
        command.upgrade(made, "head")
    engine.dispose()
