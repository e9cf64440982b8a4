"""``penstock billing reconcile`` beside a running server, whose rows are gone."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.core import instants
from penstock.storage import opening, schema
from penstock.storage.log.table import LogTable
from tests.kit.command import Done, command
from tests.kit.databases import sqlite_in
from tests.kit.logsink import a_gateway, a_record

DAY = "2025-11-01"
AT = instants.parse(f"{DAY}T12:00:00Z")
HEADING = "start_time_iso,model,num_model_requests,input_tokens,output_tokens,input_cached_tokens\n"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A server's: three calls to OpenAI on that day, one the next, and what its export does not tell of."""
    store = schema.open_store(sqlite_in(tmp_path))
    connection = opening.connect(store.url)
    a_gateway(connection)
    a_gateway(connection, "other")
    usual = {"provider": "openai", "model": "gpt-4o", "tokens_in": 100, "tokens_out": 10, "cost": 2 * 10**9}
    LogTable(connection).write(
        [
            *(a_record(**usual, created_at=AT + n, cache_read=50, logged=False) for n in range(3)),
            a_record(**usual, created_at=AT + 86_400_000, logged=False),
            a_record(**usual | {"tokens_in": 0}, created_at=AT, cached=True, logged=False),
            a_record(**usual | {"provider": "anthropic"}, created_at=AT, logged=False),
            a_record(
                created_at=AT,
                **usual | {"tokens_in": None, "tokens_out": None, "cost": 0, "status_code": 429, "success": False},
                logged=False,
            ),
        ]
    )
    assert connection.execute("SELECT count(*) FROM logs") == [(0,)]
    connection.close()
    yield tmp_path
    store.close()


def reconcile(folder: Path, *lines: str, more: tuple[str, ...] = ()) -> Done:
    (folder / "usage.csv").write_text(HEADING + "".join(f"{line}\n" for line in lines))
    words = ("--data-dir", str(folder), "--file", str(folder / "usage.csv"))
    return command(
        "billing", "reconcile", *words, *(("--provider", "openai") if "--provider" not in more else ()), *more
    )


FIRST, SECOND = f"{DAY}T00:00:00+00:00,gpt-4o-2024-08-06,3,300,30,150", "2025-11-02,gpt-4o-2024-08-06,1.0,100,10,0"


def test_what_agrees_ends_well(folder: Path):
    done = reconcile(folder, FIRST, SECOND)
    assert (done.status, done.err) == (0, "")
    assert done.out == "2 days and models compared, 0 differ by more than 1%.\n"
    rows = [line.split() for line in reconcile(folder, FIRST, more=("--all",)).out.splitlines()]
    assert rows[0] == ["day", "model", "figure", "provider", "log", "log", "is"]
    assert rows[1] == [DAY, "gpt-4o", "calls", "3", "3", "the", "same"]
    assert rows[-1][:4] == ["1", "day", "and", "model"]


def test_what_differs_is_shown_by_day_and_model_and_the_exit_status_tells(folder: Path):
    done = reconcile(folder, FIRST.replace(",300,", ",306,"), SECOND, "2025-11-02,o3,1,5,5,0")
    assert (done.status, done.err) == (1, "")
    rows = [line.split() for line in done.out.splitlines()]
    assert rows[1] == [DAY, "gpt-4o", "tokens", "in", "306", "300", "-1.96%"]
    assert [row[:3] for row in rows[2:5]] == [["2025-11-02", "o3", "calls"], *[["2025-11-02", "o3", "tokens"]] * 2]
    assert rows[-1][0] == "3"
    assert reconcile(folder, FIRST.replace(",300,", ",306,"), SECOND, more=("--tolerance", "2%")).status == 0


def test_as_json(folder: Path):
    done = reconcile(folder, FIRST.replace(",3,", ",4,"), more=("--json",))
    told = json.loads(done.out)
    assert (done.status, told["provider"], told["differs"]) == (1, "openai", True)
    (row,) = told["days"]
    assert (row["day"], row["model"], row["differs"]) == (DAY, "gpt-4o", True)
    assert row["figures"]["calls"] == {"provider": 4, "log": 3, "difference": -1, "differs": True}
    assert not row["figures"]["tokens_in"]["differs"]


def test_costs_may_be_in_a_file_of_their_own(folder: Path):
    (folder / "costs.csv").write_text(f'start_time_iso,amount_value,line_item\n{DAY},5.5,"gpt-4o, input"\n')
    done = reconcile(folder, FIRST, more=("--file", str(folder / "costs.csv")))
    (row,) = [line.split() for line in done.out.splitlines() if "cost" in line]
    assert row == [DAY, "gpt-4o", "cost", "$5.50", "$6.00", "+9.09%"]


def test_of_some_gateways_alone(folder: Path):
    assert reconcile(folder, FIRST, more=("--gateway", "default")).status == 0
    assert reconcile(folder, FIRST, more=("--gateway", "other")).status == 1


@pytest.mark.parametrize(
    ("lines", "more", "told"),
    [
        (["x,gpt-4o,1,1,1,1"], (), "usage.csv:2: start_time_iso: is no day"),
        ([FIRST, "2025-11-01,gpt-4o,one,1,1,1"], (), "usage.csv:3: num_model_requests: is no number: 'one'"),
        ([FIRST], ("--tolerance", "much"), "--tolerance: must be a percentage"),
        ([FIRST], ("--gateway", "none"), "--gateway: there is no gateway 'none'"),
        ([FIRST], ("--file", "nowhere.csv"), "--file: cannot read nowhere.csv"),
        ([FIRST], ("--provider", "groq"), "--provider: exports of openai and anthropic can be read"),
    ],
)
def test_what_is_wrong_is_named(folder: Path, lines: list[str], more: tuple[str, ...], told: str):
    done = reconcile(folder, *lines, more=more)
    assert (done.status, done.out) == (2, "")
    assert told in done.err


def test_a_file_without_figures_tells_nothing(folder: Path):
    done = reconcile(folder)
    assert (done.status, done.out) == (0, "0 days and models compared, 0 differ by more than 1%.\n")
