import os
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.storage import database
from penstock.storage.errors import StoreUnavailable

MOUNTS = """/dev/vda / ext4 rw 0 0
filer:/export /home nfs4 rw 0 0
/dev/vdb /home/local\\040disk xfs rw 0 0
//win/share /mnt/share cifs rw 0 0
"""


def test_the_default_is_a_file_in_the_data_directory(tmp_path: Path):
    assert database.file_of(database.default_url(tmp_path)) == tmp_path / "penstock.db"


@pytest.mark.parametrize(
    ("url", "file"), [("sqlite:///data/x.db", "data/x.db"), ("sqlite:////var/lib/x.db", "/var/lib/x.db")]
)
def test_three_slashes_are_relative_four_absolute(url: str, file: str):
    assert database.file_of(url) == Path(file)


@pytest.mark.parametrize("url", ["", "x.db", "sqlite://", "sqlite:///", "sqlite:///:memory:", "mysql://u:secret@h/d"])
def test_any_other_url_is_refused_without_showing_a_password(url: str):
    with pytest.raises(StoreUnavailable, match="database_url") as refused:
        database.file_of(url)
    assert "secret" not in refused.value.message


def test_postgresql_is_refused_by_name():
    with pytest.raises(StoreUnavailable, match="PostgreSQL is not supported"):
        database.file_of("postgresql+asyncpg://u:p@h/d")


@pytest.mark.parametrize(("folder", "kind"), [("/home/ann/data", "nfs4"), ("/mnt/share", "cifs")])
def test_a_network_disk_is_refused(folder: str, kind: str):
    with pytest.raises(StoreUnavailable, match=kind):
        database.refuse_network_disk(Path(folder) / "penstock.db", MOUNTS)


@pytest.mark.parametrize("folder", ["/var/lib/penstock", "/home/local disk/data", "/homes"])
def test_a_local_disk_is_taken(folder: str):
    database.refuse_network_disk(Path(folder) / "penstock.db", MOUNTS)


def test_where_this_test_runs_is_judged_without_help(tmp_path: Path):
    database.refuse_network_disk(tmp_path / "penstock.db")


def test_the_database_is_private_and_in_wal_mode(tmp_path: Path):
    connection = database.connect(tmp_path / "x.db")
    connection.execute("CREATE TABLE t (x)")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)
    assert {file.stat().st_mode & 0o777 for file in tmp_path.glob("x.db*")} == {0o600}
    connection.close()


def test_a_reader_sees_what_is_written_beside_it_and_cannot_write(tmp_path: Path):
    writer = database.connect(tmp_path / "x.db")
    writer.execute("CREATE TABLE t (x)")
    reader = database.connect_reader(tmp_path / "x.db")
    writer.execute("INSERT INTO t VALUES (1)")
    assert reader.execute("SELECT x FROM t").fetchall() == [(1,)]
    with pytest.raises(Exception, match="readonly"):
        reader.execute("INSERT INTO t VALUES (2)")
    reader.close()
    writer.close()


def test_a_reader_does_not_create_a_database(tmp_path: Path):
    with pytest.raises(StoreUnavailable, match="There is no database"):
        database.connect_reader(tmp_path / "x.db")
    assert not list(tmp_path.iterdir())


def test_a_directory_that_cannot_be_written_is_a_clear_error(tmp_path: Path):
    with pytest.raises(StoreUnavailable, match="Cannot open the database"):
        database.connect(tmp_path / "missing" / "x.db")


def test_one_process_at_a_time_holds_the_lock_and_its_death_frees_it(tmp_path: Path):
    file = tmp_path / "x.db"
    code = (
        "import sys; from pathlib import Path; from penstock.storage import database\n"
        "held = database.lock(Path(sys.argv[1]), 'server'); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(StoreUnavailable, match="in use by another Penstock process"):
            database.lock(file, "server")
        database.lock(file, "writer").release()  # another role is another lock
        other.kill()
    held = database.lock(file, "server", wait=10)
    held.release()
    held.release()
    database.lock(file, "server").release()
