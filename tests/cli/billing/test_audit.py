"""``penstock billing audit``: what agrees is proved, and what was tampered with is found."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from penstock.model.money import CENT
from penstock.storage import ledger, opening
from penstock.storage.ledger_audit import proofs
from penstock.storage.log import drafts
from penstock.storage.log.table import LogTable
from penstock.storage.sql import Sql
from tests.kit.command import command
from tests.kit.databases import KINDS, database_of
from tests.kit.logsink import ACCOUNT, a_gateway, a_record

HOUR = 3600 * 1000
DAY = 20_000 * 24 * HOUR


@pytest.fixture(params=KINDS)
def filled(request: pytest.FixtureRequest, tmp_path: Path):
    with database_of(request.param, tmp_path) as url, closing(opening.connect(url)) as connection:
        fill(connection)
        yield connection


def fill(connection: Sql) -> None:
    a_gateway(connection)
    spends = (("token:t", 0, 0, 7),)
    LogTable(connection, sender=b"s").write(
        [
            *(a_record(created_at=DAY + n * HOUR, charge=(ACCOUNT, 100 + n), spends=spends) for n in range(30)),
            a_record(created_at=DAY, charge=(ACCOUNT, 9), logged=False),
            a_record(created_at=DAY, charge=(ACCOUNT, 0)),
            a_record(created_at=DAY),
            a_record(draft=True),
        ]
    )
    top_up(connection, 5000)


def top_up(connection: Sql, cents: int) -> None:
    row = {"id": b"t" * 16, "account": ACCOUNT, "method": "manual", "origin": "manual", "amount": cents, "means": ""}
    row |= {"state": "completed", "paid": cents, "refunded": 0, "answered": 1, "created_by": "x"}
    row |= {"created_at": DAY, "modified_at": DAY, "invoice_tries": 0}
    connection.insert("topups", tuple(row), [tuple(row.values())])
    lines = ((ledger.CREDIT, cents * CENT), (ledger.PAYMENTS, -cents * CENT))
    ledger.post(connection, [ledger.Entry(row["id"], ACCOUNT, ledger.TOPUP, DAY, None, None, lines)])


def judged(connection: Sql, now: int = 0) -> dict[str, list[str]]:
    return {proof.claim: proof.faults for proof in proofs(connection, HOUR, now) if proof.faults}


def test_what_was_written_agrees_also_where_rows_and_roll_ups_are_gone(filled: Sql):
    assert judged(filled) == {}
    filled.execute("DELETE FROM logs WHERE created_at >= ?", (DAY + HOUR,))
    filled.execute("DELETE FROM log_rollups WHERE start < ?", (DAY // 60_000 + 24 * 60,))
    assert judged(filled) == {}


@pytest.mark.parametrize(
    ("tampered", "claim"),
    [
        ("UPDATE ledger SET amount = amount + 1 WHERE book = 'usage' AND amount = 101", "every entry comes to 0"),
        ("UPDATE ledger_balances SET amount = amount + 1 WHERE start = -1 AND book = 'credit'", "balances are"),
        ("DELETE FROM ledger_balances WHERE start > 0 AND book = 'usage'", "balances are"),
        ("UPDATE logs SET charge = charge + 1 WHERE charge = 105", "rows of the log"),
        ("UPDATE logs SET charge = NULL WHERE charge = 105", "rows of the log"),
        ("DELETE FROM ledger WHERE id = (SELECT id FROM logs WHERE charge = 105)", "rows of the log"),
        ("UPDATE log_rollups SET charge = charge + 1 WHERE span = 1440 AND charge > 0", "roll-ups"),
        ("UPDATE charged_usage SET amount = amount + 1", "invoices bill"),
        ("UPDATE topups SET paid = paid + 1", "top-ups are"),
        ("DELETE FROM topups", "top-ups are"),
        ("DELETE FROM ledger WHERE kind = 'topup'", "top-ups are"),
        ("UPDATE spent SET amount = -1", "no budget"),
    ],
)
def test_what_does_not_agree_is_found(filled: Sql, tampered: str, claim: str):
    filled.execute(tampered)
    assert any(told.startswith(claim) for told in judged(filled))


def test_drafts_that_nobody_settles_are_found(filled: Sql):
    ((at,),) = filled.execute("SELECT at FROM log_drafts")
    assert judged(filled, at + HOUR) == {}
    assert "no reservation is older than a call can be" in judged(filled, at + HOUR + 2 * drafts.QUIET + 1)


def test_the_command_prints_each_proof_and_fails_where_one_does(tmp_path: Path):
    with database_of("sqlite", tmp_path) as url, closing(opening.connect(url)) as connection:
        fill(connection)
        done = command("billing", "audit", "--data-dir", str(tmp_path))
        assert (done.status, done.err) == (0, "")
        assert "31 charged rows, $0.000003435" in done.out
        assert [line[:2] for line in done.out.splitlines()] == ["ok"] * 8
        connection.execute("UPDATE ledger SET amount = amount + 1 WHERE amount = 105")
        done = command("billing", "audit", "--data-dir", str(tmp_path), "--json")
        assert done.status == 1
        faulty = [row["claim"] for row in map(json.loads, done.out.splitlines()) if row["faults"]]
        assert len(faulty) == 4
