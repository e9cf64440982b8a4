"""``penstock billing`` on a real database."""

import asyncio
import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from penstock.core import ids
from penstock.storage import opening
from penstock.storage.log.table import LogTable
from tests.kit.command import Done, command, spawned
from tests.kit.logsink import a_record
from tests.kit.store import ACCOUNT, furnish

OTHER = "f" * 32
CALL = a_record(charge=(ACCOUNT, 1_500_000_000))
Run = Callable[..., Done]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    place = asyncio.run(furnish(tmp_path, {"default": {}}, (), [OTHER]))
    with closing(opening.connect(place.url)) as connection:
        LogTable(connection).write([CALL])

    def run(*words: str) -> Done:
        return command("billing", *words, "--data-dir", str(tmp_path))

    return run


def told(done: Done) -> list[dict[str, object]]:
    assert (done.status, done.err) == (0, "")
    return [json.loads(line) for line in done.out.splitlines()]


def test_credit_is_given_taken_and_listed_exactly(run: Run):
    for words in (
        ("25", "--note", "welcome"),
        ("--note", "a slip", "-0.000000001"),
        ("1", "--adjustment", "--note", "x"),
    ):
        assert run("credit", *words, "--account", ACCOUNT).status == 0
    balances = {str(row["account"]): row for row in told(run("balance", "--json"))}
    assert balances.keys() == {ACCOUNT, OTHER}
    credit = 25 * 10**9 - 1 + 10**9 - 1_500_000_000
    assert (balances[ACCOUNT]["credit"], balances[ACCOUNT]["grants"]) == (credit, -25 * 10**9)
    assert balances[OTHER]["credit"] == 0
    listed = told(run("ledger", "--account", ACCOUNT, "--json"))
    assert [row["kind"] for row in listed] == ["adjustment", "adjustment", "grant", "call"]
    assert listed[-1] == {
        "id": ids.text(CALL.id),
        "account": ACCOUNT,
        "kind": "call",
        "at": listed[-1]["at"],
        "note": None,
        "reference": "1",
        "lines": {"usage": 1_500_000_000, "credit": -1_500_000_000},
    }


def test_entries_are_found_by_kind_time_and_number(run: Run):
    run("credit", "25", "--note", "welcome", "--account", ACCOUNT)
    of = ("ledger", "--account", ACCOUNT, "--json")
    assert [row["kind"] for row in told(run(*of, "--kind", "grant", "--kind", "topup"))] == ["grant"]
    assert [row["kind"] for row in told(run(*of, "--lines", "1"))] == ["grant"]
    assert [row["kind"] for row in told(run(*of, "--kind", "call", "--since", "1h"))] == ["call"]
    assert told(run(*of, "--until", "1h")) == []
    assert told(run("ledger", "--account", OTHER, "--json")) == []


def test_people_read_dollars(run: Run):
    done = run("credit", "2.5", "--note", "for\x1b[31m you", "--account", ACCOUNT)
    assert f"$2.50 for account {ACCOUNT}" in done.out
    assert "$1.00" in run("balance", "--account", ACCOUNT).out
    shown = run("ledger", "--account", ACCOUNT).out
    assert "grants -$2.50" in shown
    assert "usage $1.50" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("credit", "ten", "--note", "n"), "AMOUNT: must be dollars"),
        (("credit", "0", "--note", "n"), "amount: must be other than 0"),
        (("credit", "1", "--note", " "), "note: must be"),
        (("ledger", "--kind", "gift"), "--kind: there is none 'gift'"),
    ],
)
def test_what_was_not_meant_is_refused(run: Run, words: tuple[str, ...], said: str):
    done = run(*words, "--account", ACCOUNT)
    assert (done.status, said in done.err) == (2, True), done.err


def test_it_runs_in_a_process_of_its_own(run: Run, tmp_path: Path):
    done = spawned("billing", "balance", "--data-dir", str(tmp_path))
    assert (done.status, done.err) == (0, "")
    assert "-$1.50" in done.out
