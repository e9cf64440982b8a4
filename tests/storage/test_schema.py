import os
import secrets
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine
from sqlalchemy.ext.asyncio import create_async_engine

from penstock.model.token import Token
from penstock.storage import (
    configuration,
    dashboard_tables,
    opening,
    payment_tables,
    revisions,
    schema,
    sqlite_file,
    tables,
    tokens,
)
from penstock.storage.engine import Database
from penstock.storage.errors import StoreRefused, StoreUnavailable
from penstock.storage.log.columns import STORED
from penstock.storage.log.filters import Filter, Test
from penstock.storage.log.reader import LogReader
from penstock.storage.log.table import LogTable
from penstock.storage.migrations import run
from tests.kit.databases import SERVER, postgres_on
from tests.kit.logsink import a_gateway, a_record
from tests.kit.releases import AFTER, BEFORE, next_release

(METADATA,) = {dashboard_tables.metadata, payment_tables.metadata}  # one, of which each module has a part


def test_the_list_of_revisions_is_the_folder_of_migrations():
    steps = run.steps()
    assert tuple(step.revision for step in steps) == revisions.REVISIONS
    assert [step.revision for step in steps if step.when == "before"][-1] == revisions.NEEDED
    assert {step.when for step in steps} <= {"before", "after"}
    assert all(step.needs in revisions.REVISIONS for step in steps if step.when == "after")
    assert not any("\n" in step.sentence for step in steps)


def differences(connection: Connection) -> list[object]:
    return compare_metadata(MigrationContext.configure(connection), METADATA)


async def test_the_migrations_make_the_tables(url: str):
    if opening.is_shared(url):
        engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"))
        async with engine.connect() as connection:
            assert await connection.run_sync(differences) == []
        await engine.dispose()
    else:
        with create_engine(url).connect() as connection:
            assert differences(connection) == []


def test_the_sql_text_of_the_log_follows_the_table():
    assert tuple(column.name for column in tables.logs.columns) == STORED


def test_a_store_that_is_up_to_date_opens_without_alembic_or_sqlalchemy(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'x.db'}"
    schema.open_store(url).close()
    code = (
        "import sys; from penstock.storage import schema; schema.open_store(sys.argv[1])\n"
        "print([name for name in ('alembic', 'sqlalchemy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, url], capture_output=True, check=True, text=True)
    assert done.stdout == "[]\n"


def test_a_second_server_on_the_file_is_refused(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'x.db'}"
    store = schema.open_store(url)
    with pytest.raises(StoreUnavailable, match="in use"):
        schema.open_store(url)
    store.close()
    schema.open_store(url).close()


def test_a_file_that_is_no_database_is_a_clear_error(tmp_path: Path):
    (tmp_path / "x.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreUnavailable, match=r"x\.db: file is not a database"):
        schema.open_store(f"sqlite:///{tmp_path / 'x.db'}")


def test_a_missing_directory_is_a_clear_error(tmp_path: Path):
    with pytest.raises(StoreUnavailable, match="there is no directory"):
        schema.open_store(f"sqlite:///{tmp_path / 'none' / 'x.db'}")


# Two releases on one database


@pytest.fixture
def later(tmp_path: Path) -> Path:
    """The migrations of a release after this one."""
    return next_release(tmp_path / "later").migrations


def test_what_a_later_release_does_before_leaves_this_one_running_and_what_it_does_after_ends_it(url: str, later: Path):
    steps = run.steps(later)
    with closing(opening.connect(url)) as connection:
        before, after = revisions.due(steps, schema.revision(connection), finish=False)
        assert [step.revision for step in (*before, *after)] == [BEFORE, AFTER]
        run.upgrade(url, before[-1].revision, later)
        assert schema.revision(connection) == BEFORE
        schema.check(connection, url)
        schema.open_store(url).close()
        run.upgrade(url, after[-1].revision, later)
        with pytest.raises(StoreRefused, match=f"{AFTER}.*newer version"):
            schema.check(connection, url)
        with pytest.raises(StoreRefused, match=f"{AFTER}.*newer version"):
            schema.open_store(url)
    if not opening.is_shared(url):
        sqlite_file.lock(sqlite_file.file_of(url), "server").release()  # the refusal has not kept the lock


def test_processes_that_would_not_survive_a_step_are_found(shared: str):
    with closing(opening.connect(shared)) as connection:
        assert schema.older_processes(connection, revisions.needs([])) == []
        assert schema.older_processes(connection, revisions.REVISIONS[-1]) == []
        assert len(schema.older_processes(connection, BEFORE)) == 1


# PostgreSQL


def test_an_empty_database_is_set_up_also_by_several_servers_at_once():
    with postgres_on(os.environ[SERVER], migrated=False) as url:
        with ThreadPoolExecutor(4) as servers:
            for opened in [servers.submit(schema.open_store, url) for _ in range(4)]:
                opened.result().close()
        with closing(opening.connect(url)) as connection:
            assert schema.revision(connection) == revisions.REVISIONS[-1]
            assert connection.execute("SELECT count(*) FROM configuration") == [(1,)]


def test_a_database_that_cannot_hold_all_text_is_refused():
    server, name = os.environ[SERVER], f"penstock_test_{secrets.token_hex(8)}"
    with closing(opening.connect(server)) as connection:
        connection.execute(f"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        try:
            with pytest.raises(StoreRefused, match="UTF8"):
                schema.open_store(f"{server.rpartition('/')[0]}/{name}")
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_database_in_which_others_have_tables_of_the_same_names_is_left_alone():
    with postgres_on(os.environ[SERVER], migrated=False) as url, closing(opening.connect(url)) as connection:
        connection.execute("CREATE TABLE gateways (theirs TEXT)")
        with pytest.raises(StoreUnavailable, match='"gateways" already exists'):
            schema.open_store(url)
        assert not connection.has_table("accounts")


async def test_who_works_with_the_database_goes_on_while_it_becomes_wider(url: str, later: Path):
    database = Database(url)

    async def change() -> list[Token]:
        async with database.writing() as connection:
            await configuration.raise_version(connection)
        async with database.reading() as connection:
            return (await tokens.changed_since(connection, 0))[0]

    with closing(opening.connect(url)) as connection, closing(opening.connect_reader(url)) as reading:
        number = a_gateway(connection)
        table, reader = LogTable(connection), LogReader(reading)
        for _ in range(8):  # plans are made, kept and made again
            table.write([a_record(gateway=number)])
            assert reader.list_rows(number, Filter((Test("provider", "eq", ("openai",)),)))
            await change()
        run.upgrade(url, BEFORE, later)
        table.write([a_record(gateway=number) for _ in range(2)])
        assert len(reader.list_rows(number, Filter((Test("provider", "eq", ("openai",)),)))) == 10
        assert reader.summary(number).count == 10
        assert await change() == []
    await database.close()
