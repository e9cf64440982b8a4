import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from penstock.storage import database, schema, tables
from penstock.storage.errors import StoreUnavailable
from penstock.storage.logs import COLUMNS
from penstock.storage.migrations import run


def test_the_list_of_revisions_is_the_folder_of_migrations():
    found = [script.revision for script in ScriptDirectory.from_config(run.config()).walk_revisions()]
    assert tuple(reversed(found)) == schema.REVISIONS


def test_the_migrations_make_the_tables(tmp_path: Path):
    schema.open_store(f"sqlite:///{tmp_path / 'x.db'}").close()
    with create_engine(f"sqlite:///{tmp_path / 'x.db'}").connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []


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
