"""The database and its schema, on both engines."""

import asyncio
import sqlite3

import asyncpg
import pytest

from penstock.doctor import database
from penstock.storage import opening, schema

KEY = "5a" * 32


def one(findings):
    (found,) = findings
    return found


def test_a_database_that_is_not_there_yet_is_made_by_the_start(subject, levels):
    assert levels(database.check(subject()))[0][0] == "ok"
    assert levels(database.migrations(subject())) == [("ok", "There is no database yet: the first start makes it.")]


def test_a_directory_that_is_missing_is_a_problem_where_no_start_makes_it(subject, tmp_path):
    found = one(database.check(subject(database_url=f"sqlite:///{tmp_path}/none/penstock.db")))
    assert (found.level, f"no directory {tmp_path}/none" in found.text) == ("problem", True)
    assert found.remedy.startswith("Make it")


def test_a_good_file_is_good(subject, data_dir, levels):
    schema.upgrade(opening.url_in(data_dir))
    ((level, text),) = levels(database.check(subject()))
    assert (level, "SQLite 3." in text, "can be read and written" in text) == ("ok", True, True)
    assert levels(database.migrations(subject()))[0][0] == "ok"


def test_a_file_that_is_no_database_is_a_problem(subject, data_dir):
    (data_dir / "penstock.db").write_bytes(b"no database at all " * 100)
    found = one(database.check(subject()))
    assert (found.level, "not a database" in found.text) == ("problem", True)


def test_a_file_that_another_program_keeps_locked_is_a_problem(subject, data_dir):
    schema.upgrade(opening.url_in(data_dir))
    with sqlite3.connect(data_dir / "penstock.db", isolation_level=None) as connection:
        connection.execute("BEGIN IMMEDIATE")
        found = one(database.check(subject()))
        connection.execute("ROLLBACK")
    connection.close()
    assert (found.level, "locked" in found.text) == ("problem", True)


def test_a_database_of_a_newer_version_is_a_problem(subject, data_dir):
    schema.upgrade(opening.url_in(data_dir))
    with sqlite3.connect(data_dir / "penstock.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.execute("UPDATE configuration SET compatible = '9999'")
    connection.close()
    found = one(database.migrations(subject()))
    assert (found.level, "9999" in found.text) == ("problem", True)
    assert found.remedy == "Install the version that wrote it, or restore a backup."


def test_a_database_that_does_not_say_its_revision_is_no_empty_one(subject, data_dir):
    schema.upgrade(opening.url_in(data_dir))
    with sqlite3.connect(data_dir / "penstock.db") as connection:
        connection.execute("DELETE FROM alembic_version")
    connection.close()
    found = one(database.migrations(subject()))
    assert (found.level, "alembic_version" in found.text) == ("problem", True)
    assert found.remedy == "Restore a backup, or write the revision back into the table."


def test_an_address_that_is_none_is_a_problem(subject):
    found = one(database.check(subject(database_url="sqlite:///:memory:")))
    assert found.level == "problem"


def test_a_good_postgres_is_good(subject, postgres, levels):
    asked = subject(database_url=postgres, master_key=KEY)
    ((level, text),) = levels(database.check(asked))
    assert (level, text.startswith("PostgreSQL ")) == ("ok", True)
    assert "is empty" in one(database.migrations(asked)).text
    schema.open_store(postgres).close()
    assert levels(database.check(asked))[0][0] == "ok"
    assert schema.REVISIONS[-1] in one(database.migrations(asked)).text


def test_a_postgres_that_is_not_there_is_a_problem(subject, closed_port):
    asked = subject(database_url=f"postgresql://somebody:secret-word@127.0.0.1:{closed_port}/penstock", master_key=KEY)
    found = one(database.check(asked))
    assert (found.level, found.remedy.startswith("Start PostgreSQL")) == ("problem", True)
    assert one(database.migrations(asked)).level == "warning"
    assert "secret-word" not in repr([found, *database.migrations(asked)])


def test_a_postgres_database_that_is_not_there_is_a_problem(subject, postgres):
    found = one(database.check(subject(database_url=f"{postgres}_not", master_key=KEY)))
    assert (found.level, "does not exist" in found.text) == ("problem", True)
    assert found.remedy.startswith("Check user, password and database name")


def test_a_postgres_that_cannot_be_written_is_a_problem(subject, postgres):
    async def forbid():
        connection = await asyncpg.connect(postgres)
        name = postgres.rpartition("/")[2]
        await connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        await connection.close()

    schema.open_store(postgres).close()
    asyncio.run(forbid())
    found = one(database.check(subject(database_url=postgres, master_key=KEY)))
    assert (found.level, "read-only" in found.text) == ("problem", True)


NEEDED = "0004"
STATES = {
    "empty": (None, ("0003", "0004"), True, "ok", ""),
    "newest": ("0005", (), True, "ok", ""),
    "too old": ("0003", ("0004", "0005"), True, "problem", "Run `penstock migrate`."),
    "to be finished": ("0004", ("0005",), True, "warning", "Run `penstock migrate --finish`"),
    "a file": ("0003", ("0004", "0005"), False, "warning", "Back the database up"),
}


@pytest.mark.parametrize("case", STATES)
def test_what_to_run_follows_from_the_revisions_that_are_missing(case):
    at, missing, shared, level, remedy = STATES[case]
    found = database.state(at, missing, shared=shared, needed=NEEDED)
    assert (found.level, found.remedy.startswith(remedy), bool(found.remedy)) == (level, True, bool(remedy))
