"""Makes the invoices that the method of payment keeps of paid top-ups: in the background, after their credit is there.

Each try is noted with the time of the next one before it is made, so several processes may, and one that dies has
failed. Going on with an invoice that was begun makes no second one.
"""

import asyncio

import msgspec

from penstock.control.context import Context, Control
from penstock.control.topups.service import customer
from penstock.core import ids, instants
from penstock.core.logs import log
from penstock.ports.payments import Bill, PaymentRefused, PaymentsAway
from penstock.storage import topups
from penstock.storage.topups import TopupRow

EVERY = 15.0  # seconds between two looks
# Milliseconds after each try; one more is the last. The first is longer than a try takes, and the last tries come when
# Stripe has forgotten the answers of the first ones.
WAITS = (600_000, 3_600_000, 21_600_000, 86_400_000, 86_400_000)
FEW = 20  # top-ups of one look
BY = "invoice of a top-up"


async def watch(control: Control) -> None:
    """Until it is cancelled."""
    while True:
        try:
            await look(control)
        except Exception as error:  # noqa: BLE001  whatever it is, the next look may go well
            log.warning("invoices of top-ups could not be made: %r", error)
        await asyncio.sleep(EVERY)


async def look(control: Control) -> None:
    """Makes what is due now. Raises StoreUnavailable."""
    for _ in range(FEW):
        row = await _claimed(control)
        if row is None:
            return
        try:
            await _make(control, row)
        except (PaymentRefused, PaymentsAway) as error:
            again = "there are no more tries" if row.invoice_due is None else "it is tried again later"
            log.warning("the invoice of top-up %s could not be made, %s: %r", ids.text(row.id), again, error)


async def _claimed(control: Control) -> TopupRow | None:
    method, now = control.payments.name, instants.now()
    async with control.database.reading() as connection:
        if await topups.without_invoice(connection, method, now) is None:
            return None
    async with control.database.writing() as connection:
        row = await topups.without_invoice(connection, method, now)
        if row is not None:
            tries = row.invoice_tries
            due = now + WAITS[tries] if tries < len(WAITS) else None
            row = msgspec.structs.replace(row, invoice_tries=tries + 1, invoice_due=due)
            await topups.change(connection, row)
    return row


async def _make(control: Control, row: TopupRow) -> None:
    async with control.database.reading() as connection:
        payer = await topups.payer(connection, row.account)
    named = await customer(Context(control, row.account, BY), payer)
    made = await control.payments.invoice(Bill(ids.text(row.id), row.account, row.paid, named))
    async with control.database.writing() as connection:
        there = await topups.get(connection, row.account, row.id)
        if there is not None:
            noted = {"invoice": made.id, "invoice_url": made.url, "invoice_pdf": made.pdf, "invoice_due": None}
            await topups.change(connection, msgspec.structs.replace(there, **noted))
