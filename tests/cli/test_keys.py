"""``penstock keys`` on a real database."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from penstock.storage import configuration, gateways
from penstock.storage.engine import Database
from tests.kit.client import connected
from tests.kit.command import Done, command, environment
from tests.kit.house import ACCOUNT as ANY
from tests.kit.house import request
from tests.kit.process import PATIENCE, serving
from tests.kit.store import OPEN, first_started

ACCOUNT = "0123456789abcdef" * 2
SECRET = "sk-0123456789abcdef"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """As a server left it that has the gateways ``default`` and ``other``."""
    start = first_started(tmp_path, account_id=ACCOUNT)
    start.store.close()

    async def make() -> None:
        database = Database(start.store.url)
        async with database.writing() as connection:
            version = await configuration.raise_version(connection)
            for name in ("default", "other"):
                await gateways.insert(connection, ACCOUNT, name, dict(OPEN), 0, version)
        await database.close()

    asyncio.run(make())
    return tmp_path


def penstock(data_dir: Path, *words: str, secret: str = "", **environ: str) -> Done:
    return command("keys", *words, environ={"PENSTOCK_DATA_DIR": str(data_dir)} | environ, stdin=secret)


def done(data_dir: Path, *words: str, secret: str = "") -> str:
    result = penstock(data_dir, *words, secret=secret)
    assert (result.status, result.err) == (0, "")
    assert SECRET not in result.out
    return result.out


def listed(data_dir: Path, *words: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done(data_dir, "list", "--json", *words).splitlines()]


def test_a_key_is_set_listed_changed_and_deleted(data_dir: Path):
    assert "Stored the key 'default' of openai" in done(data_dir, "set", "openai", secret=f"{SECRET}\n")
    (made,) = listed(data_dir)
    assert (made["provider_slug"], made["alias"], made["default_config"]) == ("openai", "default", True)
    assert (made["secret_preview"], made["gateway_id"]) == ("cdef", "default")
    limits = ("--rate-limit", "5", "--rate-limit-period", "60")
    assert "Changed the key" in done(data_dir, "set", "openai", *limits, secret="sk-another-one-6789")
    (changed,) = listed(data_dir)
    assert (changed["id"], changed["secret_preview"], changed["rate_limit"]) == (made["id"], "6789", 5)
    assert "…6789  5/60s  never  -" in done(data_dir, "list")
    assert "Deleted the key 'default' of openai" in done(data_dir, "delete", "openai")
    assert listed(data_dir) == []


def test_the_first_key_needs_no_gateway_before_it(tmp_path: Path):
    first_started(tmp_path, account_id=ACCOUNT).store.close()
    assert penstock(tmp_path, "list").err == "penstock keys list: there is no gateway default\n"
    done(tmp_path, "set", "openai", secret=SECRET)
    assert [key["alias"] for key in listed(tmp_path)] == ["default"]


def test_the_first_key_of_a_provider_is_its_default_until_another_is_to_be(data_dir: Path):
    for alias in ("one", "two"):
        done(data_dir, "set", "bedrock", "--alias", alias, secret=SECRET)
    assert [(key["alias"], key["default_config"]) for key in listed(data_dir)] == [("one", True), ("two", False)]
    done(data_dir, "set", "aws-bedrock", "--alias", "two", "--default", secret=SECRET)
    assert [(key["alias"], key["default_config"]) for key in listed(data_dir)] == [("one", False), ("two", True)]


def test_a_secret_from_a_file(data_dir: Path, tmp_path: Path):
    file = tmp_path / "credential.json"
    file.write_text(
        json.dumps({"accessKeyId": "AKIAIOSFODNN7EXAMPLE", "secretAccessKey": "s", "region": "r"}, indent=1)
    )
    done(data_dir, "set", "bedrock", "--gateway", "other", "--from", str(file))
    (made,) = listed(data_dir, "--gateway", "other")
    assert made["secret_preview"] == "MPLE"
    assert listed(data_dir) == []


@pytest.mark.parametrize(
    ("words", "secret", "status", "said"),
    [
        (["set", "openly"], SECRET, 2, "provider_slug: there is no provider 'openly'"),
        (["set", "openai"], "", 2, "secret: must be visible ASCII"),
        (["set", "openai"], f"{SECRET} \u00e9", 2, "secret: must be visible ASCII"),
        (["set", "openai", "--rate-limit", "5"], SECRET, 2, "rate_limit_period: is needed"),
        (["set", "openai", "--gateway", "none"], SECRET, 1, "there is no gateway none"),
        (["set", "openai", "--from", "nowhere"], "", 2, "--from: nowhere cannot be read"),
        (["list", "--gateway", "none"], "", 1, "there is no gateway none"),
        (["delete", "openai"], "", 1, "openai has no key default in the gateway default"),
    ],
)
def test_what_is_refused(data_dir: Path, words: list[str], secret: str, status: int, said: str):
    result = penstock(data_dir, *words, secret=secret)
    assert (result.status, result.out) == (status, "")
    assert said in result.err
    assert SECRET not in result.err


def test_at_a_terminal_the_key_is_asked_for_and_not_echoed(data_dir: Path):
    ours, theirs = os.openpty()
    terminal = os.ttyname(theirs)
    words = [sys.executable, "-m", "penstock", "keys", "set", "openai"]
    shell = ["sh", "-c", f'exec "$@" <{terminal} >{terminal} 2>&1', "sh", *words]
    environ = environment({"PENSTOCK_DATA_DIR": str(data_dir)})
    with subprocess.Popen(shell, env=environ, start_new_session=True) as process:  # its terminal is the one it opens
        shown = b""
        while b"Key: " not in shown:
            shown += os.read(ours, 1024)
        os.write(ours, f"{SECRET}\n".encode())
        while b"Stored the key" not in shown:
            shown += os.read(ours, 1024)
    os.close(theirs)
    os.close(ours)
    assert process.returncode == 0
    assert SECRET not in shown.decode()
    assert listed(data_dir)[0]["secret_preview"] == "cdef"


def test_another_master_key_seals_nothing(data_dir: Path):
    result = penstock(data_dir, "set", "openai", secret=SECRET, PENSTOCK_MASTER_KEY="00" * 32)
    assert (result.status, result.out) == (2, "")
    assert "is not the one that sealed" in result.err
    (data_dir / "master.key").unlink()
    assert "master.key, and no other is set" in penstock(data_dir, "set", "openai", secret=SECRET).err
    assert listed(data_dir) == []


async def test_a_running_server_uses_it(tmp_path: Path):
    async with serving(tmp_path / "data", gateways=("default",)) as server:
        told = await asyncio.to_thread(penstock, server.data_dir, "set", "openai", secret=SECRET)
        assert told.status == 0
        headers = {"cf-aig-authorization": f"Bearer {server.token}", "x-mock-echo": "1"}
        sent = request(headers=headers).replace(ANY.encode(), server.account.encode())

        async def travels() -> bool:
            async with connected(server.port) as client:
                echoed = json.loads((await client.ask(sent)).body)
            return dict(echoed["headers"]).get("authorization") == f"Bearer {SECRET}"

        async with asyncio.timeout(PATIENCE):
            while not await travels():
                await asyncio.sleep(0.05)
