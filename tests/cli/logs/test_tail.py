import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from penstock.cli.logs.app import app
from penstock.core import ids
from penstock.storage import opening, schema
from penstock.storage.log.reader import LogRow
from penstock.storage.log.table import LogTable
from penstock.storage.sql import Sql
from tests.kit.logsink import ACCOUNT, a_gateway, a_record


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Sql]:
    """A running server: it holds the lock and writes."""
    store = schema.open_store(opening.url_in(tmp_path))
    connection = opening.connect(store.url)
    a_gateway(connection)
    yield connection
    connection.close()
    store.close()


def tail(tmp_path: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["tail", "--data-dir", str(tmp_path), *arguments])


def test_the_newest_calls_are_shown_oldest_first(tmp_path: Path, connection: Sql):
    records = [a_record(tokens_in=100 + i) for i in range(5)]
    LogTable(connection).write(records)
    result = tail(tmp_path, "-n", "3")
    assert result.exit_code == 0
    heading, *lines = result.output.splitlines()
    assert " ".join(heading.split()) == "time gateway provider model status outcome cache in out cost $ ms id"
    assert [line.split()[-1] for line in lines] == [ids.text(record.id) for record in records[2:]]
    for word in ("default", "openai", "gpt-4o-mini", "200", "answered", "104", "34", "0.000022", "120"):
        assert word in lines[-1].split()


def test_json_has_every_field(tmp_path: Path, connection: Sql):
    record = a_record(cost=1_500_000_000, created_at=1_700_000_000_123, cached=True)
    LogTable(connection).write([record])
    (line,) = tail(tmp_path, "--json").output.splitlines()
    row = json.loads(line)
    assert row["id"] == row["event_id"] == ids.text(record.id)
    assert row["created_at"] == "2023-11-14T22:13:20.123Z"
    assert (row["cost"], row["cached"], row["metadata"]) == (1.5, True, '{"user":"u1"}')
    assert row["timings"] == {"total": 120.0, "latency": 80.0}
    assert (row["account"], row["gateway"]) == (ACCOUNT, "default")
    same = set(type(record).__struct_fields__) & set(LogRow.__struct_fields__)
    same -= {"id", "gateway", "event_id", "created_at", "cost", "detail"}
    assert {name: row[name] for name in same} == {name: getattr(record, name) for name in same}


def test_only_one_gateway(tmp_path: Path, connection: Sql):
    LogTable(connection).write([a_record(), a_record(gateway=a_gateway(connection, "beta")), a_record(gateway=0)])
    rows = [json.loads(line) for line in tail(tmp_path, "--json", "--gateway", "beta").output.splitlines()]
    assert [row["gateway"] for row in rows] == ["beta"]


def test_calls_to_no_gateway_are_shown_without_names(tmp_path: Path, connection: Sql):
    LogTable(connection).write([a_record(gateway=0)])
    (line,) = tail(tmp_path, "--json").output.splitlines()
    assert (json.loads(line)["account"], json.loads(line)["gateway"]) == ("", "")


def test_what_is_not_known_is_a_dash_and_control_characters_do_not_reach_the_terminal(tmp_path: Path, connection: Sql):
    LogTable(connection).write([a_record(model="\x1b[31mred\n", tokens_in=None, tokens_out=None, cost=None)])
    _, line = tail(tmp_path).output.splitlines()
    assert "·[31mred·" in line
    assert line.split()[7:11] == ["-", "-", "-", "-"]


def test_a_cost_below_a_micro_dollar_is_not_shown_as_nothing(tmp_path: Path, connection: Sql):
    LogTable(connection).write([a_record(cost=cost) for cost in (0, 1, 999, 1000, 22_000)])
    _, *lines = tail(tmp_path).output.splitlines()
    assert [line.split()[-3] for line in lines] == ["0.000000", "0.000000001", "0.000000999", "0.000001", "0.000022"]


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_where_nothing_can_be_written_it_says_so(tmp_path: Path, connection: Sql, form: list[str]):
    LogTable(connection).write([a_record()])
    command = [
        sys.executable,
        "-c",
        "from penstock.cli.logs.app import app; app()",
        "tail",
        "--data-dir",
        str(tmp_path),
    ]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*command, *form], check=False, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr == "penstock logs tail: cannot write: No space left on device\n"


def test_an_empty_log_is_a_heading(tmp_path: Path, connection: Sql):
    assert len(tail(tmp_path).output.splitlines()) == 1
    assert tail(tmp_path, "--json").output == ""


def test_without_a_store_it_says_what_to_do(tmp_path: Path):
    result = tail(tmp_path)
    assert result.exit_code == 1
    assert "There is no database at" in result.output
    assert "start the server once" in result.output
    assert not list(tmp_path.iterdir())


def test_a_wrong_url_is_named(tmp_path: Path):
    result = tail(tmp_path, "--database-url", "mysql://x")
    assert result.exit_code == 2
    assert "database_url" in result.output


def test_follow_shows_what_arrives_until_ctrl_c(tmp_path: Path, connection: Sql):
    table, late = LogTable(connection), a_record()
    first = a_record()
    table.write([first])
    command = [sys.executable, "-m", "penstock", "logs", "tail", "-f", "--json"]
    command += ["--data-dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["id"] == ids.text(first.id)
        news = [late, a_record()]  # a long call is written after shorter ones that began later
        for record in news:
            table.write([record])
            assert json.loads(process.stdout.readline())["id"] == ids.text(record.id)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert process.stdout.read() == ""


def test_it_looks_where_the_server_puts_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "penstock.toml").write_text('data_dir = "elsewhere"\n')
    result = CliRunner().invoke(app, ["tail"])
    assert result.exit_code == 1
    assert "elsewhere" in result.stderr
