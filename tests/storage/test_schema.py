import sqlite3
import subprocess
import sys
from contextlib import closing
from itertools import chain
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from penstock.core import codec, ids
from penstock.storage import database, schema, tables
from penstock.storage.errors import StoreUnavailable
from penstock.storage.log_query import LogFilter
from penstock.storage.log_rows import LogReader
from penstock.storage.logs import COLUMNS, LogTable
from penstock.storage.migrations import run
from penstock.testing.logsink import ACCOUNT, a_gateway, a_record


def test_the_list_of_revisions_is_the_folder_of_migrations():
    found = [script.revision for script in ScriptDirectory.from_config(run.config()).walk_revisions()]
    assert tuple(reversed(found)) == schema.REVISIONS


def test_the_migrations_make_the_tables(tmp_path: Path):
    schema.open_store(f"sqlite:///{tmp_path / 'x.db'}").close()
    with create_engine(f"sqlite:///{tmp_path / 'x.db'}").connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []


def at_revision(file: Path, revision: str) -> sqlite3.Connection:
    """A connection to a new database of that revision."""
    config = run.config()
    with create_engine(f"sqlite:///{file}").begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    return database.connect(file)


def test_a_log_by_names_becomes_a_log_by_numbers(tmp_path: Path):
    old = at_revision(tmp_path / "x.db", "0001")
    old.executemany("INSERT INTO accounts VALUES (?, ?)", [(ACCOUNT, 11), ("f" * 32, 22)])
    old.execute("INSERT INTO tokens VALUES ('t', ?, x'01', 'first', '[]', 11)", (ACCOUNT,))
    owners = [(3, ACCOUNT, "default"), (4, "", ""), (5, ACCOUNT, "beta"), (9, "f" * 32, "default")]
    old.executemany("INSERT INTO log_gateways VALUES (?, ?, ?)", owners)
    records = {number: [a_record(gateway=number) for _ in range(40)] for number, _, _ in owners}
    LogTable(old).write(list(chain.from_iterable(records.values())))
    old.close()

    schema.open_store(f"sqlite:///{tmp_path / 'x.db'}").close()
    with closing(database.connect(tmp_path / "x.db")) as connection:
        reader = LogReader(connection)
        for number, account, gateway in owners:
            rows = reader.list_rows(number if account else 0, LogFilter(provider="openai"))
            assert [row.id for row in rows] == [ids.text(record.id) for record in records[number][::-1]]
            assert {(row.account, row.gateway) for row in rows} == {(account, gateway)}
            assert reader.summary(number if account else 0).count == 40
        made = connection.execute(
            "SELECT number, account, id, created_at, deleted_at, version FROM gateways"
        ).fetchall()
        assert made == [
            (3, ACCOUNT, "default", 11, None, 1),
            (5, ACCOUNT, "beta", 11, None, 1),
            (9, "f" * 32, "default", 22, None, 1),
        ]
        assert all(codec.decode(text) for (text,) in connection.execute("SELECT settings FROM gateways"))
        assert connection.execute("SELECT email, gateways, expires_at, revoked_at, version FROM tokens").fetchall() == [
            ("", None, None, None, 1)
        ]
        connection.execute("DELETE FROM gateways")
        assert a_gateway(connection) == 10  # no number comes again


def test_the_sql_text_of_the_log_follows_the_table():
    assert tuple(column.name for column in tables.logs.columns) == COLUMNS


def test_a_store_that_is_up_to_date_opens_without_alembic_or_sqlalchemy(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'x.db'}"
    schema.open_store(url).close()
    code = (
        "import sys; from penstock.storage import schema; schema.open_store(sys.argv[1])\n"
        "print([name for name in ('alembic', 'sqlalchemy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, url], capture_output=True, check=True, text=True)
    assert done.stdout == "[]\n"


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'x.db'}"
    store = schema.open_store(url)
    connection = sqlite3.connect(store.file)
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    store.close()
    with pytest.raises(StoreUnavailable, match=r"9999.*newer version"):
        schema.open_store(url)
    database.lock(store.file, "server").release()  # the refusal has not kept the lock


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
