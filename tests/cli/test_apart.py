"""The store is prepared in a process that ends: what it found comes back, and what went wrong as well."""

import os
import subprocess
import sys

import pytest

from penstock.cli.apart import apart
from penstock.cli.refused import Refused
from penstock.control.first_start import Start, StartError
from penstock.storage.errors import StoreUnavailable
from penstock.storage.schema import Store
from tests.kit.databases import SERVER, postgres_on
from tests.kit.process import environment

FOUND = Start(
    Store("postgresql://u:secret@h/d"), ("a" * 32, "b" * 32), True, "pst_x", (bytes(range(32)), bytes(32)), "v1.x"
)


def failing(error):
    def fail():
        raise error

    return fail


def test_what_is_found_comes_back():
    start = apart(lambda: FOUND)
    assert start.store.url == FOUND.store.url
    assert (start.accounts, start.first, start.token) == (FOUND.accounts, True, "pst_x")
    assert start.master_keys == FOUND.master_keys


@pytest.mark.parametrize("error", [StartError("no key"), StoreUnavailable("no store")], ids=["start", "store"])
def test_a_refusal_comes_back_as_one(error):
    with pytest.raises(Refused, match=str(error)):
        apart(failing(error))


def test_a_fault_is_told_where_it_happened(capfd):
    with pytest.raises(Refused, match="could not be prepared"):
        apart(failing(ZeroDivisionError("of ours")))
    assert "ZeroDivisionError: of ours" in capfd.readouterr().err


def test_it_happens_in_another_process_that_is_gone_afterwards():
    start = apart(lambda: Start(Store(str(os.getpid())), (), False, None, ()))
    assert int(start.store.url) != os.getpid()
    with pytest.raises(ProcessLookupError):
        os.kill(int(start.store.url), 0)


_CODE = """
import os, sys
from penstock.cli import launch
from penstock.core.settings import load
settings = load({"data_dir": sys.argv[1]}, os.environ)
print(launch.apart(lambda: launch._prepare(settings)).first)
print({"sqlalchemy", "asyncpg", "alembic", "fastapi", "uvicorn", "redis"} & set(sys.modules))
"""


def test_the_parent_has_nothing_to_do_with_drivers_and_migrations(tmp_path):
    with postgres_on(os.environ[SERVER], migrated=False) as url:
        environ = environment({"PENSTOCK_DATABASE_URL": url, "PENSTOCK_MASTER_KEY": "00" * 32})
        command = [sys.executable, "-c", _CODE, str(tmp_path / "data")]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\nset()\n", "")
