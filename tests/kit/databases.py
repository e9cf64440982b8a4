"""Databases of a test's own, of either engine: empty, of the newest schema, copied from one that was migrated."""

import atexit
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from functools import lru_cache
from pathlib import Path

import pytest

from penstock.storage import opening, schema
from penstock.storage.errors import StoreUnavailable

KINDS = ("sqlite", "postgresql")
EITHER = ["sqlite", pytest.param("postgresql", marks=pytest.mark.deep)]  # for what does not ask a database itself
SERVER = "PENSTOCK_TEST_DATABASE_URL"  # names a database whose owner may make others

PATIENCE = 30.0  # seconds that a server has to be ready


@contextmanager
def database_of(kind: str, folder: Path) -> Generator[str]:
    """The URL of a database of one of KINDS, there for the block; SQLite's file lies in ``folder``."""
    if kind == "sqlite":
        yield sqlite_in(folder)
    else:
        with postgres_on(os.environ[SERVER]) as url:
            yield url


def sqlite_in(folder: Path) -> str:
    """The URL of an SQLite database."""
    url = opening.url_in(folder)
    shutil.copy(_sqlite_template(), url.removeprefix("sqlite:///"))  # with its mode: it holds secrets
    return url


@contextmanager
def postgres_on(server: str, *, migrated: bool = True) -> Generator[str]:
    """The URL of a PostgreSQL database, gone after the block, whoever is connected. ``migrated``: it has the tables."""
    template = f" TEMPLATE {_postgres_template(server)}" if migrated else ""
    name = _create(server, template)
    try:
        yield _url_of(server, name)
    finally:
        _drop(server, name)


def await_server(server: str) -> None:
    """Returns when it takes commands: it listens a moment before. Raises StoreUnavailable if that takes too long."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            _command(server, "SELECT 1")
        except StoreUnavailable:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)  # a starting server tells nobody that it takes commands
        else:
            return


@lru_cache(1)
def _sqlite_template() -> str:
    """Migrated once a process: Alembic takes half a second."""
    url = opening.url_in(Path(tempfile.mkdtemp(prefix="penstock-test-")))
    schema.upgrade(url)
    return url.removeprefix("sqlite:///")


@lru_cache
def _postgres_template(server: str) -> str:
    """The same; it goes with the process, or before with its server."""
    await_server(server)
    name = _create(server)
    atexit.register(_drop, server, name)
    schema.upgrade(_url_of(server, name))
    return name


def _create(server: str, template: str = "") -> str:
    name = f"penstock_test_{secrets.token_hex(8)}"
    _command(server, f"CREATE DATABASE {name}{template}")
    return name


def _drop(server: str, name: str) -> None:
    with suppress(StoreUnavailable):  # the server is gone already
        _command(server, f"DROP DATABASE {name} WITH (FORCE)")


def _url_of(server: str, name: str) -> str:
    address, mark, options = server.partition("?")
    return f"{address.rpartition('/')[0]}/{name}{mark}{options}"


def _command(server: str, sql: str) -> None:
    with closing(opening.connect(server)) as connection:
        connection.execute(sql)
