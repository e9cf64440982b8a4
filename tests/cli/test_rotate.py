"""``penstock keys rotate-master`` beside a real server, from the old key to a start with the new one alone."""

import asyncio
import json
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from penstock.control import first_start
from penstock.control.resealing import reseal
from penstock.core.sealing import Vault
from penstock.core.tasks import Tasks
from penstock.storage.engine import Database
from tests.kit.client import connected
from tests.kit.command import Done, command
from tests.kit.house import ACCOUNT as ANY
from tests.kit.house import request
from tests.kit.process import Serving, eventually, serving

SECRET, RENAMED = "sk-0123456789abcdef", "sk-of-groq-456789abcdef"
GATEWAY = "/accounts/{account}/ai-gateway/gateways/default"
STRIPE = {"authorization": "sk_of_stripe_0123456789", "usage_events": []}


def rotate(data_dir: Path, **environ: str) -> Done:
    return command("keys", "rotate-master", environ={"PENSTOCK_DATA_DIR": str(data_dir)} | environ)


def doctor(server: Serving) -> str:
    """What it says of the key."""
    done = command("doctor", environ={"PENSTOCK_DATA_DIR": str(server.data_dir)})
    (line,) = [line for line in done.out.splitlines() if line.split()[1:2] == ["key"]]
    return line


async def travelled(server: Serving, provider: str) -> str:
    """The credential that a call without one arrives with."""
    headers = {"cf-aig-authorization": f"Bearer {server.token}", "x-mock-echo": "1"}
    sent = request(f"{provider}/chat/completions", headers=headers).replace(ANY.encode(), server.account.encode())
    async with connected(server.port) as client:
        answer = await client.ask(sent)
    assert answer.status == 200, answer.body
    return dict(json.loads(answer.body)["headers"])["authorization"]


@asynccontextmanager
async def calls(server: Serving) -> AsyncGenerator[None]:
    """Calls one after the other, each of which the stored key has to travel with."""
    made, background = [0], Tasks()

    async def go_on() -> None:
        while True:
            assert await travelled(server, "openai") == f"Bearer {SECRET}"
            made[0] += 1

    task = background.start("calls", go_on())
    await eventually(lambda: made[0] or task.done())
    yield
    so_far = made[0]
    await eventually(lambda: made[0] > so_far or task.done())
    assert not task.done(), task.exception()
    await background.stop()


async def make(server: Serving) -> None:
    """Something of each kind that is sealed."""
    for provider, secret in (("openai", SECRET), ("groq", RENAMED)):
        body = {"alias": "default", "default_config": True, "provider_slug": provider, "secret": secret}
        assert (await server.ask("POST", f"{GATEWAY}/provider_configs", body))[0] == 200
    _, told = await server.ask("GET", GATEWAY)
    assert (await server.ask("PUT", GATEWAY, told["result"] | {"stripe": STRIPE}))[0] == 200
    custom = {"name": "m", "slug": "mine", "base_url": "https://a.example", "headers": '{"x-key": "of a header"}'}
    assert (await server.ask("POST", "/accounts/{account}/ai-gateway/custom-providers", custom))[0] == 200


async def interrupted(data_dir: Path) -> None:
    """As the command does it, until it is stopped after the first secret."""
    start = first_start.prepare(data_dir)
    start.store.close()
    database = Database(start.store.url)
    passed = reseal(database, Vault(*start.master_keys), 1)
    assert (await anext(passed)).renewed == 1
    await passed.aclose()
    await database.close()


async def rename(server: Serving, provider: str) -> None:
    """Another alias has a secret sealed to another place."""
    _, told = await server.ask("GET", f"{GATEWAY}/provider_configs")
    (key,) = [key for key in told["result"] if key["provider_slug"] == provider]
    changed = {"alias": "another"}
    assert (await server.ask("PUT", f"{GATEWAY}/provider_configs/{key['id']}", changed))[0] == 200


@pytest.fixture
def started(tmp_path) -> Path:
    """A data directory in which a server has started once."""
    first_start.prepare(tmp_path).store.close()
    return tmp_path


def test_without_a_previous_key_there_is_nothing_to_do(started):
    done = rotate(started)
    assert (done.status, done.out) == (2, "")
    assert "master_key_previous: is not set" in done.err


def test_a_wrong_previous_key_seals_nothing(started):
    (started / "master.key").write_bytes(secrets.token_bytes(32))
    (started / "master.key.previous").write_bytes(secrets.token_bytes(32))
    done = rotate(started)
    assert (done.status, done.out) == (2, "")
    assert "is not the one that sealed" in done.err


def test_two_keys_that_are_the_same_are_refused(started):
    (started / "master.key.previous").write_bytes((started / "master.key").read_bytes())
    done = rotate(started)
    assert (done.status, done.out) == (2, "")
    assert "are the same" in done.err


def test_keys_of_the_settings_go_before_files(started):
    key = (started / "master.key").read_bytes().hex()
    given = {"PENSTOCK_MASTER_KEY": "0f" * 32, "PENSTOCK_MASTER_KEY_PREVIOUS": key}
    done = rotate(started, **given)
    assert (done.status, done.err) == (0, "")
    assert "it may go" in done.out
    first_start.prepare(started, master_key="0f" * 32).store.close()
    with pytest.raises(first_start.StartError, match="not the one that sealed"):
        first_start.prepare(started)


async def test_a_master_key_takes_the_place_of_another_while_calls_go_on(tmp_path):
    data_dir = tmp_path / "data"
    async with serving(data_dir) as server:
        await make(server)
        await server.stop()
    (data_dir / "master.key").rename(data_dir / "master.key.previous")
    await interrupted(data_dir)
    previous = (data_dir / "master.key.previous").rename(tmp_path / "kept")
    with pytest.raises(first_start.StartError, match="not the one that sealed"):  # too early
        first_start.prepare(data_dir)
    previous.rename(data_dir / "master.key.previous")
    async with serving(data_dir) as server:
        assert "rotate-master" in server.said
        assert doctor(server).startswith("warning")
        async with calls(server):
            for provider in ("openai", "groq"):  # one of each key
                await rename(server, provider)
                assert (await travelled(server, provider)).startswith("Bearer sk-")
            done = await asyncio.to_thread(rotate, data_dir)
            assert (done.status, done.err) == (0, "")
            assert done.out.endswith(" key: 4.\nNothing is sealed with the previous key any more: it may go.\n")
            assert (await asyncio.to_thread(rotate, data_dir)).out.startswith("Sealed anew: 0.")
        assert doctor(server).startswith("ok")
        await server.stop()
    (data_dir / "master.key.previous").unlink()
    async with serving(data_dir) as server:
        assert await travelled(server, "openai") == f"Bearer {SECRET}"
        assert await travelled(server, "groq") == f"Bearer {RENAMED}"
