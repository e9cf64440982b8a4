"""``penstock stats`` beside a running server."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.cli.stats import BARS, spark
from penstock.core import instants
from penstock.storage import opening, schema
from penstock.storage.log.table import LogTable
from tests.kit.command import command, spawned
from tests.kit.databases import sqlite_in
from tests.kit.logsink import a_gateway, a_record

HOUR = 3_600_000


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A server's, which runs: calls of the last hours, the dearer model seldom called."""
    store = schema.open_store(sqlite_in(tmp_path))
    connection = opening.connect(store.url)
    a_gateway(connection)
    now = instants.now()
    LogTable(connection).write(
        [
            *(a_record(created_at=now - hours * HOUR, model="often", cost=10**6) for hours in (1, 1, 2, 30)),
            a_record(created_at=now, model="dear\x1b[31m", cost=25 * 10**8, metadata='{"user":"u1"}', rolled=("user",)),
            a_record(created_at=now, model="bad", success=False, status_code=500, outcome="failed", cost=None),
        ]
    )
    connection.close()
    yield tmp_path
    store.close()


def lines(folder: Path, *words: str) -> list[list[str]]:
    done = command("stats", "--data-dir", str(folder), *words)
    assert done.status == 0, done.err
    return [line.split() for line in done.out.splitlines()]


def test_models_with_calls_tokens_cost_and_times(folder: Path):
    about, heads, *rows = lines(folder)
    assert about[-1] == "hour"
    assert heads[:2] == ["model", "calls"]
    assert [row[:2] for row in rows] == [["often", "3"], ["bad", "1"], ["dear·[31m", "1"], ["all", "5"]]
    assert any(mark in row for row in rows[0][2:] for mark in BARS)
    assert rows[1][3] == "100.0%"
    assert "2.5000" in rows[2]
    assert rows[-1][2:] == ["20.0%", "-", "60", "170", "2.5030", "-", "150", "195"]


def test_what_is_asked_for(folder: Path):
    assert [row[0] for row in lines(folder, "--by", "status_class")[2:]] == ["2", "5", "all"]
    assert [row[0] for row in lines(folder, "--order", "cost", "-n", "1")[2:]] == ["dear·[31m", "(others)", "all"]
    assert lines(folder, "--since", "2d")[2][:2] == ["often", "4"]
    assert [row[0] for row in lines(folder, "--by", "metadata.user")[2:]] == ["u1", "all"]
    assert "analytics_metadata_keys" in lines(folder, "--by", "metadata.team")[1]
    assert lines(folder, "--until", "40d", "--since", "41d")[1:] == [["no", "calls"]]
    told = json.loads(command("stats", "--data-dir", str(folder), "--json", "--gateway", "default").out)
    assert told["totals"]["calls"] == 5


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--by", "colour"], "--by: must be one of gateway"),
        (["--since", "yesterday"], "--since: must be a time ago"),
        (["--order", "colour"], "--order: "),
        (["--interval", "minute", "--since", "9d"], "at most 1,500"),
        (["--account", "nobody"], "there is no account"),
        (["--until", "2d"], "before end"),
    ],
)
def test_what_cannot_be_answered_is_said(folder: Path, words: list[str], says: str):
    done = command("stats", "--data-dir", str(folder), *words)
    assert done.status == 2
    assert says in done.err


def test_a_gateway_that_is_not_there_is_said(folder: Path):
    done = command("stats", "--data-dir", str(folder), "--gateway", "nowhere")
    assert done.status == 1
    assert "ot found" in done.err


def test_the_command_of_a_process_of_its_own(folder: Path):
    assert "often" in spawned("stats", "--data-dir", str(folder)).out


def test_a_spark_line_shows_what_is_more_than_nothing():
    assert spark([0, 1, 500, 1000]) == " ▁▄█"
    assert spark([]) == ""
