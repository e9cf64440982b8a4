"""``penstock audit`` on a real database."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.cli.audit import changes
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


values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(st.sampled_from("abc"), values, max_size=3)


@given(objects)
def test_where_nothing_changed_nothing_is_shown(value):
    assert list(changes(value, value)) == []


@given(objects, objects)
def test_what_is_shown_one_way_is_shown_the_other_way_round(before, after):
    there, back = list(changes(before, after)), list(changes(after, before))
    flipped = {"+": "-", "-": "+", " ": " "}
    assert sorted(flipped[sign] for sign, _ in there) == sorted(sign for sign, _ in back)


def test_true_is_not_one():
    assert list(changes({"a": 1}, {"a": True})) == [(" ", "a: 1 → true")]
    assert list(changes({"a": [1]}, {"a": [True]})) == [(" ", "a: [1] → [true]")]


def test_long_values_are_cut():
    ((_, line),) = changes(None, {"a": "x" * 1000})
    assert line.endswith("…")
    assert len(line) < 220


def test_a_secret_that_changed_is_shown_however_long_what_stands_before_it():
    def settings(authorization):
        headers = {f"header-{number}": "x" * 100 for number in range(9)}
        return {"otel": [{"url": "https://a.example", "headers": headers, "authorization": authorization}]}

    assert list(changes(settings("********"), settings("******** (changed)"))) == [
        (" ", 'otel[0].authorization: "********" → "******** (changed)"')
    ]


def test_listed_objects_are_shown_by_their_members():
    two = {"a": [{"b": 1, "c": [1, 2]}, {"b": 2}]}
    assert list(changes(two, {"a": [{"b": 3, "c": [1]}]})) == [
        (" ", "a[0].b: 1 → 3"),
        (" ", "a[0].c: [1,2] → [1]"),
        ("-", "a[1].b: 2"),
    ]
    assert list(changes({"a": None}, two)) == [("+", "a[0].b: 1"), ("+", "a[0].c: [1,2]"), ("+", "a[1].b: 2")]
