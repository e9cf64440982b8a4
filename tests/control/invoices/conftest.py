"""A server, and accounts that are charged."""

from collections.abc import AsyncGenerator

import pytest_asyncio

from penstock.control.invoices import close
from penstock.core import ids
from penstock.storage import charged_usage, ledger
from penstock.storage.charged_usage import start_of
from penstock.storage.engine import within
from tests.control.topups.conftest import CENT, Paying, paying
from tests.kit.databases import KINDS, database_of
from tests.kit.logsink import a_record
from tests.kit.store import ACCOUNT

MAY, JUNE = 2026 * 12 + 4, 2026 * 12 + 5


async def charge(api: Paying, month: int, cents: float, *, account=ACCOUNT, **fields) -> None:
    """A call of that month costs so many cents."""
    at = start_of(month) + 5
    record = a_record(id=ids.new(), created_at=at, charge=(account, round(cents * CENT)), **fields)
    entry = ledger.of_call(record)
    assert entry is not None

    def post(sql):
        charged_usage.add(sql, [record], ledger.post(sql, [entry]))

    async with api.database.writing() as connection:
        await within(connection, post)


@pytest_asyncio.fixture(params=KINDS, loop_scope="module")
async def api(request, tmp_path, monkeypatch) -> AsyncGenerator[Paying]:
    """One that closes no month by itself; 19 % tax."""
    monkeypatch.setattr(close, "GRACE", 1 << 40)
    with database_of(request.param, tmp_path) as url:
        terms = {"tax_percent": "19", "tax_name": "VAT", "invoice_issuer": "Gate <Ltd>"}
        async with paying(database_url=url, payments="manual", **terms) as made:
            yield made
