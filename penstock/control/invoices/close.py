"""Closing a month: whatever was charged until its end and is on no invoice becomes one, for good."""

import asyncio
import secrets as randomness

from penstock.control.context import Control
from penstock.core import ids, instants
from penstock.core.errors import Invalid
from penstock.core.logs import log
from penstock.model.billing import sums
from penstock.model.money import CENT
from penstock.storage import charged_usage, gateways, invoices, ledger
from penstock.storage.charged_usage import month_of, spelt, start_of
from penstock.storage.configuration import raise_version
from penstock.storage.engine import Handle, within
from penstock.storage.invoices import InvoiceRow, Line
from penstock.storage.ledger import CREDIT, TAX, Entry

EVERY = 3600.0  # seconds
GRACE = 24 * 3600 * 1000  # milliseconds after a month's end in which what comes late is still its own
BY = "automatic close"
_FOR_EVER = 1 << 62


async def watch(control: Control) -> None:
    """Closes the month before, a day after its end, until it is cancelled."""
    while True:
        try:
            await close(control, month_of(instants.now() - GRACE) - 1, BY)
        except Exception as error:  # noqa: BLE001  whatever it is, the next time may go well
            log.warning("a month could not be closed: %r", error)
        await asyncio.sleep(EVERY)


async def close(control: Control, month: int, by: str, account: str | None = None) -> list[InvoiceRow]:
    """Closes what is open until the end of that month, of one account or of all; what is closed stays as it is.

    Returns the new invoices. Raises Invalid for a month that has not ended.
    """
    if start_of(month + 1) > instants.now():
        raise Invalid(f"month: {spelt(month)} has not ended")
    async with control.database.reading() as connection:
        owners = await within(connection, charged_usage.accounts)
    made: list[InvoiceRow] = []
    for owner in owners if account is None else [account]:
        async with control.database.writing() as connection:
            new = await _closed(connection, control, owner, month, by)
            if any(row.tax for row in new):
                await gateways.touch_all(connection, owner, await raise_version(connection))
        made += new
    if any(row.tax for row in made):
        await control.refresh()
    return made


async def _closed(connection: Handle, control: Control, account: str, last: int, by: str) -> list[InvoiceRow]:
    """Each month that has something to bill, the earlier ones first."""
    month = await within(connection, lambda sql: charged_usage.first(sql, account))
    made: list[InvoiceRow] = []
    while month is not None and month <= last:
        if row := await _invoice(connection, control, account, month, by):
            made.append(row)
        month += 1
    return made


async def _invoice(connection: Handle, control: Control, account: str, month: int, by: str) -> InvoiceRow | None:
    terms, end = control.terms, start_of(month + 1)
    usage = await within(connection, lambda sql: charged_usage.unbilled(sql, account, month))
    if not usage:
        return None
    credit = await within(connection, lambda sql: credit_at(sql, account, end))
    found = sums([line.amount for line in usage], terms, credit)
    number = f"{spelt(month).replace('-', '')}-{await invoices.count(connection, month) + 1:04}"
    row = InvoiceRow(
        f"in_{randomness.token_hex(12)}",
        *(account, month, number, terms.issuer),
        *(found.net, found.tax, terms.tax_name, terms.tax_percent, found.credits),
        *(instants.now(), by),
    )
    await invoices.add(connection, row, [Line(*pair) for pair in zip(usage, found.parts, strict=True)])
    if row.tax:
        nano = row.tax * CENT
        lines = ((CREDIT, -nano), (TAX, nano))
        entry = Entry(ids.new(), account, TAX, end - 1, f"{terms.tax_name} of invoice {number}", row.id, lines)
        await within(connection, lambda sql: ledger.post(sql, [entry]))
    return row


def credit_at(connection: ledger.Statements, account: str, end: int) -> int:
    """Nano-dollars that an account had at a time, which begins an hour."""
    later = ledger.hours(connection, account, CREDIT, end, _FOR_EVER)
    return ledger.balances(connection, account)[CREDIT] - sum(amount for _, amount in later)
