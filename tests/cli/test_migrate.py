"""``penstock migrate``."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from penstock.storage import opening, schema
from penstock.storage.migrations import run
from penstock.storage.revisions import REVISIONS
from tests.kit.command import Done, command
from tests.kit.databases import SERVER, database_of, postgres_on, sqlite_in
from tests.kit.process import environment


def penstock(url: str, *words: str) -> Done:
    return command("migrate", *words, environ={"PENSTOCK_DATABASE_URL": url})


def done(url: str, *words: str) -> str:
    result = penstock(url, *words)
    assert (result.status, result.err) == (0, "")
    return result.out


@pytest.fixture(params=["sqlite", "postgresql"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of the first revision."""
    if request.param == "sqlite":
        url = opening.url_in(tmp_path)
        run.upgrade(url, REVISIONS[0])
        yield url
    else:
        with postgres_on(os.environ[SERVER], migrated=False) as url:
            run.upgrade(url, REVISIONS[0])
            yield url


def revision(url: str) -> str | None:
    with closing(opening.connect_reader(url)) as connection:
        return schema.revision(connection)


def test_each_migration_is_run_and_told(old: str):
    told = done(old, "--dry-run")
    assert "would be brought from 0001 to revision 0004" in told
    assert revision(old) == "0001"
    told = done(old)
    assert "was brought from 0001 to revision 0004" in told
    assert [line.split()[0] for line in told.splitlines()[1:]] == ["0002", "0003", "0004"]
    assert all(len(line.split()) > 3 for line in told.splitlines()[1:])
    assert revision(old) == "0004"
    assert "is up to date, at revision 0004" in done(old)
    assert "is up to date, at revision 0004" in done(old, "--finish")


def test_an_empty_postgresql_database_gets_its_tables():
    with postgres_on(os.environ[SERVER], migrated=False) as url:
        assert "was brought from nothing to revision 0004" in done(url)
        schema.open_store(url).close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_a_newer_version_wrote_is_left_alone(kind: str, tmp_path: Path):
    with database_of(kind, tmp_path) as url:
        with closing(opening.connect(url)) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
            connection.execute("UPDATE configuration SET compatible = '9998'")
        result = penstock(url)
        assert result.status == 1
        assert "9999" in result.err
        assert "newer version" in result.err


def test_a_file_that_a_server_uses_or_that_is_not_there_is_refused(tmp_path: Path):
    url = opening.url_in(tmp_path)
    result = penstock(url)
    assert (result.status, list(tmp_path.iterdir())) == (1, [])
    assert "There is no database at" in result.err
    store = schema.open_store(sqlite_in(tmp_path))
    result = penstock(url)
    assert result.status == 1
    assert "in use by another Penstock process" in result.err
    store.close()


def test_a_database_that_is_away_is_told_without_its_password():
    result = penstock("postgresql://penstock:secret-word@127.0.0.1:9/none")
    assert result.status == 1
    assert "cannot be reached" in result.err
    assert "secret-word" not in result.err


def test_of_several_at_once_one_says_that_it_did_it():
    with postgres_on(os.environ[SERVER], migrated=False) as url:
        words = [sys.executable, "-m", "penstock", "migrate"]
        env = environment({"PENSTOCK_DATABASE_URL": url})
        running = [subprocess.Popen(words, env=env, stdout=subprocess.PIPE, text=True) for _ in range(3)]
        told = [process.communicate(timeout=60)[0] for process in running]
        assert [process.returncode for process in running] == [0, 0, 0]
        assert sorted("was brought" in one for one in told) == [False, False, True]
        assert sum("is up to date, at revision 0004" in one for one in told) == 2


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_database_that_does_not_say_its_revision_is_not_taken_for_an_empty_one(kind: str, tmp_path: Path):
    with database_of(kind, tmp_path) as url:
        with closing(opening.connect(url)) as connection:
            connection.execute("DELETE FROM alembic_version")
        result = penstock(url)
        assert result.status == 1
        assert "alembic_version" in result.err
        assert "restore a backup" in result.err
