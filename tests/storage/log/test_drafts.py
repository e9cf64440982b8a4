"""Whatever dies, a call's money is counted once: as it came to, or as it was reserved."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from penstock.core import ids, instants
from penstock.model.record import LogRecord
from penstock.storage.log import drafts
from penstock.storage.log.reader import LogReader
from penstock.storage.log.table import LogTable
from penstock.storage.sql import Sql
from tests.kit.logsink import ACCOUNT, a_record

A, B = b"a" * 16, b"b" * 16
HOUR = 3600 * 1000


def a_call(final: int, reserved: int = 900, *, logged: bool = True) -> tuple[LogRecord, LogRecord]:
    """A draft and its final record."""
    draft = a_record(logged=logged, outcome="lost", cost=reserved, **money(reserved), draft=True)
    return draft, replace(draft, outcome="answered", cost=final, **money(final), draft=False)


def money(amount: int) -> dict[str, object]:
    return {"spends": (("token:t", 0, 0, amount),), "charge": (ACCOUNT, 2 * amount)}


def state(connection: Sql) -> tuple[int, int, int, int]:
    """Costs of rows, and of roll-ups; what is spent; half of what is charged: all the same."""
    sql = (
        "SELECT coalesce((SELECT sum(cost) FROM logs), 0),"
        " coalesce((SELECT sum(cost) FROM log_rollups WHERE span = 60), 0),"
        " coalesce((SELECT sum(amount) FROM spent), 0),"
        " coalesce((SELECT sum(amount) FROM ledger WHERE book = 'usage'), 0) / 2"
    )
    ((rows, rolled, spent, charged),) = connection.execute(sql)
    return int(rows), int(rolled), int(spent), int(charged)


def kept(connection: Sql) -> int:
    """Drafts that wait."""
    return connection.execute("SELECT count(*) FROM log_drafts WHERE record IS NOT NULL")[0][0]


def outcomes(connection: Sql) -> list[str]:
    return [row.outcome for row in LogReader(connection).newest(99)]


def test_a_draft_and_its_final_record_in_one_batch_are_one_row(connection: Sql):
    draft, final = a_call(7)
    LogTable(connection, sender=A).write([draft, final])
    assert (outcomes(connection), state(connection)) == (["answered"], (7, 7, 7, 7))
    assert connection.execute("SELECT count(*) FROM log_drafts") == [(0,)]


def test_a_draft_waits_for_its_final_record(connection: Sql):
    draft, final = a_call(7)
    table = LogTable(connection, sender=A)
    table.write([draft, a_record(cost=0)], 0)
    assert (kept(connection), state(connection)) == (1, (0, 0, 0, 0))
    table.write([final], 2)
    assert (outcomes(connection)[0], state(connection)) == ("answered", (7, 7, 7, 7))
    assert connection.execute("SELECT count(*) FROM log_drafts") == [(0,)]


def test_the_next_writer_of_a_sender_knows_its_drafts(connection: Sql):
    draft, final = a_call(7)
    LogTable(connection, sender=A).write([draft])
    LogTable(connection, sender=A).write([draft, final])  # nothing was confirmed: all comes again
    assert (kept(connection), state(connection)) == (0, (7, 7, 7, 7))


def test_without_a_final_record_what_was_reserved_is_spent(connection: Sql):
    (draft, _), (bare, _), (other, _) = a_call(7), a_call(8, logged=False), a_call(9)
    table = LogTable(connection, sender=A)
    table.write([draft, bare])
    LogTable(connection, sender=B).write([other])
    assert table.settle(drafts.of(A)) == 2
    assert table.settle(drafts.of(A)) == 0
    assert (outcomes(connection), state(connection)) == (["lost"], (900, 1800, 1800, 1800))
    assert LogTable(connection, sender=A).settle(drafts.of_others(A)) == 1
    assert state(connection) == (1800, 2700, 2700, 2700)


@pytest.mark.parametrize("logged", [True, False])
def test_a_final_record_that_comes_too_late_changes_nothing(connection: Sql, logged: bool):
    draft, final = a_call(7, logged=logged)
    table = LogTable(connection, sender=A)
    table.write([draft])
    LogTable(connection).settle(drafts.of(A))
    before = state(connection)
    table.write([a_record(cost=0), final, a_record(cost=0)], 1)
    assert (table.late, state(connection)) == (1, before)
    table.write([final, a_record(cost=0), a_record(cost=0)], 2)  # and comes again
    assert (table.late, state(connection)) == (1, before)
    assert len(LogReader(connection).newest(9)) == (4 if logged else 3)


def test_only_old_drafts_of_silent_senders_are_lost(connection: Sql):
    draft, _ = a_call(7)
    LogTable(connection, sender=A).write([draft])
    now, table = instants.now(), LogTable(connection)
    assert table.settle(drafts.older_than(HOUR, now)) == 0
    late = now + HOUR + drafts.QUIET + 60_000
    connection.execute("UPDATE log_senders SET at = ?", (late - 1000,))  # it still writes
    assert table.settle(drafts.older_than(HOUR, late)) == 0
    connection.execute("UPDATE log_senders SET at = ?", (now,))
    assert table.settle(drafts.older_than(HOUR, late)) == 1


def test_what_is_left_of_settled_drafts_is_forgotten_in_time(connection: Sql):
    (draft, _), (other, _) = a_call(7), a_call(8)
    table = LogTable(connection, sender=A)
    table.write([draft])
    table.settle(drafts.of(A))
    LogTable(connection, sender=B).write([other])
    drafts.forget(connection, instants.now() + 1000)
    assert connection.execute("SELECT count(*) FROM log_drafts") == [(2,)]
    drafts.forget(connection, instants.now() + drafts.KEPT + 1000)
    assert (connection.execute("SELECT count(*) FROM log_drafts"), kept(connection)) == ([(1,)], 1)


def test_no_draft_has_what_must_not_be_stored(connection: Sql):
    draft, _ = a_call(7)
    secret = replace(draft, request=b'{"secret":"swordfish"}', redact=("request.secret",))
    LogTable(connection, sender=A).write([secret])
    ((record,),) = connection.execute("SELECT record FROM log_drafts")
    assert b"swordfish" not in bytes(record)
    assert b"secret" in bytes(record)


STEPS = st.lists(
    st.tuples(st.sampled_from(["draft", "final", "send", "again", "die", "end", "settle"]), st.integers(0, 7)),
    max_size=30,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_any_order_of_calls_deaths_and_settlements_conserves_money(lasting: Sql, steps: list[tuple[str, int]]):
    """Of every call whose draft arrived, the final amount or the reserved one is counted, never both or none."""
    for table in ("logs", "log_bodies", "log_zones", "log_metadata", "log_rollups", "log_senders"):
        lasting.execute(f"DELETE FROM {table}")
    for table in ("log_drafts", "spent", "ledger", "ledger_balances"):
        lasting.execute(f"DELETE FROM {table}")
    sender, calls, sent, at = ids.new(), list[tuple[LogRecord, LogRecord]](), list[LogRecord](), 0
    table, arrived = LogTable(lasting, sender=sender), dict[bytes, Counter[str]]()
    for step, number in steps:
        if step == "draft":
            calls.append(a_call(number + 1, 100 * (number + 1)))
            sent.append(calls[-1][0])
        elif step == "final" and calls:
            sent.append(calls.pop(number % len(calls))[1])
        elif step in ("send", "again"):  # again: what was written but not confirmed
            start = max(0, at - number) if step == "again" else at
            end = min(len(sent), start + number) if step == "again" else len(sent)
            table.write([replace(record) for record in sent[start:end]], start)
            at = max(at, end)
        elif step == "die":  # the writer
            table = LogTable(lasting, sender=sender)
        elif step == "settle":  # by somebody who thinks that the sender is dead
            LogTable(lasting).settle(drafts.of(sender))
        elif step == "end":  # of the server, with what it has not sent
            LogTable(lasting).settle(drafts.of(sender))
            sender, calls, sent, at = ids.new(), [], [], 0
            table = LogTable(lasting, sender=sender)
        for record in sent[:at]:
            arrived.setdefault(record.id, Counter())["draft" if record.draft else "final"] = record.cost or 0
    LogTable(lasting).settle(drafts.of(sender))
    rows = dict(lasting.execute("SELECT id, cost FROM logs"))
    assert {bytes(log_id): True for log_id in rows} == dict.fromkeys(arrived, True)
    for log_id, cost in rows.items():
        assert cost in arrived[bytes(log_id)].values()
    assert state(lasting) == (sum(rows.values()),) * 4
