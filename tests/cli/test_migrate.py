"""``penstock migrate``."""

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from penstock.storage import opening, schema
from tests.kit.command import Done, command
from tests.kit.databases import SERVER, database_of, postgres_on, sqlite_in
from tests.kit.process import environment, shared
from tests.kit.releases import AFTER, BEFORE, Release, next_release


def penstock(url: str, *words: str) -> Done:
    return command("migrate", *words, environ={"PENSTOCK_DATABASE_URL": url})


def done(url: str, *words: str) -> str:
    result = penstock(url, *words)
    assert (result.status, result.err) == (0, "")
    return result.out


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return next_release(tmp_path_factory.mktemp("later"))


def listed(told: str) -> list[str]:
    """The revisions that are listed, each with its sentence."""
    lines = [line.split() for line in told.splitlines() if line.startswith("  ")]
    assert all(len(words) > 3 for words in lines)
    return [words[0] for words in lines]


def revision(url: str) -> str | None:
    with closing(opening.connect_reader(url)) as connection:
        return schema.revision(connection)


def test_the_next_release_brings_a_file_of_this_one_all_the_way(later: Release, tmp_path: Path):
    url = sqlite_in(tmp_path)
    environ = {"PENSTOCK_DATA_DIR": str(tmp_path)}
    assert "the next start brings it to 0003" in later.run("doctor", environ=environ).stdout
    left_alone = later.run("token", "list", environ=environ)
    assert (left_alone.returncode, "is of an older version: start the server once" in left_alone.stderr) == (1, True)
    told = later.run("migrate", "--dry-run", environ=environ).stdout
    assert ("would be brought from 0001 to revision 0003" in told, revision(url)) == (True, "0001")
    told = later.run("migrate", environ=environ).stdout
    assert ("was brought from 0001 to revision 0003" in told, listed(told)) == (True, [BEFORE, AFTER])
    assert "is up to date, at revision 0003" in later.run("migrate", environ=environ).stdout


def test_the_next_release_brings_a_shared_database_up_in_two_steps(later: Release, tmp_path: Path):
    with database_of("postgresql", tmp_path) as url:
        environ = shared(url) | {"PENSTOCK_DATA_DIR": str(tmp_path)}
        refused = later.run("serve", "--port", "0", environ=environ)
        assert (refused.returncode, "older version: run `penstock migrate`" in refused.stderr) == (1, True)
        assert "Run `penstock migrate`." in later.run("doctor", environ=environ).stdout
        left_alone = later.run("token", "list", environ=environ)
        assert (left_alone.returncode, "run `penstock migrate`" in left_alone.stderr) == (1, True)
        with closing(opening.connect(url)) as connection:  # a process of this release
            connection.execute("SELECT 1")
            told = later.run("migrate", environ=environ).stdout
            assert "was brought from 0001 to revision 0002" in told
            assert "Left for `penstock migrate --finish`" in told
            assert listed(told) == [BEFORE, AFTER]
            assert "is of a newer version, which this one can use, at revision 0002" in done(url)
            refused = later.run("migrate", "--finish", environ=environ)
            assert (refused.returncode, "would not survive this" in refused.stderr) == (1, True)
        told = later.run("migrate", "--finish", environ=environ).stdout
        assert ("was brought from 0002 to revision 0003" in told, listed(told)) == (True, [AFTER])
        assert "0003" in penstock(url).err  # refused


def test_an_empty_postgresql_database_gets_its_tables():
    with postgres_on(os.environ[SERVER], migrated=False) as url:
        assert "was brought from nothing to revision 0001" in done(url)
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
        assert sum("is up to date, at revision 0001" in one for one in told) == 2


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_database_that_does_not_say_its_revision_is_not_taken_for_an_empty_one(kind: str, tmp_path: Path):
    with database_of(kind, tmp_path) as url:
        with closing(opening.connect(url)) as connection:
            connection.execute("DELETE FROM alembic_version")
        result = penstock(url)
        assert result.status == 1
        assert "alembic_version" in result.err
        assert "restore a backup" in result.err
