"""``penstock audit`` on a real database."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.storage import audit
from penstock.storage.engine import Database
from tests.kit.command import command, spawned
from tests.kit.store import ACCOUNT, a_token, furnish

OTHER = "f" * 32
Show = Callable[..., str]


async def fill(folder: Path) -> None:
    """A database in which a gateway was made, changed and deleted, and another account did something."""
    place = await furnish(folder, {}, (), [OTHER])
    pipeline = a_token("pipeline")
    steps = [
        ("gateway.create", "alpha", None, {"id": "alpha", "cache_ttl": 0, "otel": None}),
        (
            "gateway.update",
            "alpha",
            {"cache_ttl": 0, "dlp": {"action": "FLAG", "enabled": True}, "same": [1, 2]},
            {"cache_ttl": 300, "dlp": {"action": "BLOCK", "enabled": True}, "same": [1, 2], "logpush": True},
        ),
        ("gateway.delete", "alpha", {"id": "alpha", "cache_ttl": 300}, None),
    ]
    database = Database(place.url)
    async with database.writing() as connection:
        for step in steps:
            await audit.add(connection, ACCOUNT, pipeline, *step)
        await audit.add(connection, OTHER, "mia", "token.revoke", "their token", {"name": "x\x1b[31m"}, None)
    await database.close()


@pytest.fixture
def show(tmp_path: Path) -> Show:
    asyncio.run(fill(tmp_path))

    def run(*words: str) -> str:
        done = command("audit", "--data-dir", str(tmp_path), *words)
        assert (done.status, done.err) == (0, "")
        return done.out

    return run


def test_it_says_who_changed_what_field_by_field_newest_last(show: Show):
    lines = [line[21:] if not line.startswith(" ") else line for line in show("--account", ACCOUNT).splitlines()]
    by = f"by pipeline ({a_token('pipeline').id})  in {ACCOUNT}"
    assert lines == [
        f"gateway.create alpha  {by}",
        '    + id: "alpha"',
        "    + cache_ttl: 0",
        f"gateway.update alpha  {by}",
        "      cache_ttl: 0 → 300",
        '      dlp.action: "FLAG" → "BLOCK"',
        "    + logpush: true",
        f"gateway.delete alpha  {by}",
        '    - id: "alpha"',
        "    - cache_ttl: 300",
    ]


def test_only_the_newest_or_only_one_subject(show: Show):
    rows = [json.loads(line) for line in show("--json").splitlines()]
    assert [row["action"] for row in rows] == ["gateway.create", "gateway.update", "gateway.delete", "token.revoke"]
    assert [json.loads(line) for line in show("--json", "-n", "2").splitlines()] == rows[2:]
    assert [json.loads(line) for line in show("--json", "--subject", "alpha").splitlines()] == rows[:3]
    assert [json.loads(line) for line in show("--json", "--account", OTHER).splitlines()] == rows[3:]
    assert show("-n", "0") == ""


def test_it_runs_as_a_process(show: Show, tmp_path: Path):
    done = spawned("audit", "--data-dir", str(tmp_path))
    assert (done.status, done.out, done.err) == (0, show(), "")


def test_names_cannot_write_to_the_terminal(show: Show):
    told = show("--account", OTHER)
    assert "token.revoke their token  by mia (command line)" in told
    assert "\x1b" not in told
