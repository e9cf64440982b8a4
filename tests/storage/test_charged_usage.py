"""What is charged is counted once, and stands on one invoice."""

from datetime import UTC, datetime

import pytest

from penstock.storage import charged_usage, ledger
from penstock.storage.charged_usage import Usage, month_of, spelt, start_of, unbilled
from penstock.storage.log.table import LogTable
from penstock.storage.sql import Sql
from tests.kit.logsink import ACCOUNT, a_record

MAY, JUNE = 2026 * 12 + 4, 2026 * 12 + 5


def a_call(month=MAY, amount=100, **fields):
    return a_record(created_at=start_of(month) + 5, charge=(ACCOUNT, amount), **fields)


@pytest.mark.parametrize("month", [MAY, JUNE, 1970 * 12, 2024 * 12 + 1, 2026 * 12 + 11])
def test_a_month_is_a_number_from_its_first_millisecond_to_its_last(month):
    assert month_of(start_of(month)) == month == month_of(start_of(month + 1) - 1)
    assert datetime.fromtimestamp(start_of(month) / 1000, UTC).strftime("%Y-%m-%d %H:%M") == f"{spelt(month)}-01 00:00"


def test_calls_are_counted_with_the_log_once_and_by_model(connection: Sql):
    calls = [a_call(), a_call(amount=50), a_call(model="gpt-4o", amount=7, tokens_in=None), a_call(JUNE, 9), a_record()]
    for _ in range(2):
        LogTable(connection, sender=b"sender").write(calls)
    assert unbilled(connection, ACCOUNT, MAY) == [
        Usage("openai", "gpt-4o", 1, 0, 34, 7),
        Usage("openai", "gpt-4o-mini", 2, 24, 68, 150),
    ]
    assert sum(line.amount for line in unbilled(connection, ACCOUNT, JUNE)) == 166
    assert ledger.balances(connection, ACCOUNT)["usage"] == 166
    assert unbilled(connection, ACCOUNT, MAY - 1) == []
    assert unbilled(connection, "f" * 32, JUNE) == []


def test_what_is_on_an_invoice_is_billed_no_more_and_what_comes_late_is(connection: Sql):
    LogTable(connection).write([a_call(), a_call()])
    assert charged_usage.first(connection, ACCOUNT) == MAY
    invoice = ("in_1", ACCOUNT, MAY, "202605-0001", "", 0, 0, "Tax", "0", 0, 1, "ann")
    connection.execute(f"INSERT INTO invoices VALUES ({', '.join('?' * 12)})", invoice)
    line = ("in_1", 0, "openai", "gpt-4o-mini", 2, 24, 68, 200, 0)
    connection.execute(f"INSERT INTO invoice_lines VALUES ({', '.join('?' * 9)})", line)
    assert unbilled(connection, ACCOUNT, JUNE) == []
    assert charged_usage.first(connection, ACCOUNT) == JUNE
    LogTable(connection).write([a_call(amount=3)])
    assert unbilled(connection, ACCOUNT, JUNE) == [Usage("openai", "gpt-4o-mini", 1, 12, 34, 3)]
    assert charged_usage.accounts(connection) == [ACCOUNT]
    assert charged_usage.first(connection, "f" * 32) is None
