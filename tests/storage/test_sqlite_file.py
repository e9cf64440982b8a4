import os
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.storage import sqlite_file
from penstock.storage.errors import StoreUnavailable

MOUNTS = """/dev/vda / ext4 rw 0 0
filer:/export /home nfs4 rw 0 0
/dev/vdb /home/local\\040disk xfs rw 0 0
//win/share /mnt/share cifs rw 0 0
"""


@pytest.mark.parametrize(
    ("url", "file"), [("sqlite:///data/x.db", "data/x.db"), ("sqlite:////var/lib/x.db", "/var/lib/x.db")]
)
def test_three_slashes_are_relative_four_absolute(url: str, file: str):
    assert sqlite_file.file_of(url) == Path(file)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x.db",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "mysql://u:secret@h/d",
        "sqlite+x://u:a/secret@b@h/d",
    ],
)
def test_any_other_url_is_refused_without_showing_a_password(url: str):
    with pytest.raises(StoreUnavailable, match="database_url") as refused:
        sqlite_file.file_of(url)
    assert "secret" not in refused.value.message


@pytest.mark.parametrize(("folder", "kind"), [("/home/ann/data", "nfs4"), ("/mnt/share", "cifs")])
def test_a_network_disk_is_refused(folder: str, kind: str):
    with pytest.raises(StoreUnavailable, match=kind):
        sqlite_file.refuse_network_disk(Path(folder) / "penstock.db", MOUNTS)


@pytest.mark.parametrize("folder", ["/var/lib/penstock", "/home/local disk/data", "/homes"])
def test_a_local_disk_is_taken(folder: str):
    sqlite_file.refuse_network_disk(Path(folder) / "penstock.db", MOUNTS)


def test_where_this_test_runs_is_judged_without_help(tmp_path: Path):
    sqlite_file.refuse_network_disk(tmp_path / "penstock.db")


def test_one_process_at_a_time_holds_the_lock_and_its_death_frees_it(tmp_path: Path):
    file = tmp_path / "x.db"
    code = (
        "import sys; from pathlib import Path; from penstock.storage import sqlite_file\n"
        "held = sqlite_file.lock(Path(sys.argv[1]), 'server'); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(StoreUnavailable, match="in use by another Penstock process"):
            sqlite_file.lock(file, "server")
        sqlite_file.lock(file, "writer").release()  # another role is another lock
        other.kill()
    held = sqlite_file.lock(file, "server", wait=10)
    held.release()
    held.release()
    sqlite_file.lock(file, "server").release()
