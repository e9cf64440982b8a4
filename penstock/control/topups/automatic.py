"""Tops credit up where it has fallen below an account's threshold. Several processes may: each claims what is due.

One top-up at a time. Its row is written before the payment service is asked, and asking again under its id charges
nothing twice; so whatever dies in between, it goes on.
"""

import asyncio

import msgspec

from penstock.control.context import Context, Control
from penstock.control.topups.service import customer, made
from penstock.control.topups.settle import settle
from penstock.core import ids, instants
from penstock.core.logs import log
from penstock.ports.payments import Bill, News, Payment, PaymentRefused, PaymentsAway
from penstock.storage import topups
from penstock.storage.topups import AUTO, COMPLETED, FAILED, PENDING, PayerRow, TopupRow

EVERY = 15.0  # seconds between two looks
LEASE = 120_000  # milliseconds in which whoever claimed an account is to be done
AGAIN = 60_000  # milliseconds until a payment that is on its way is looked at again
WAITS = (300_000, 1_800_000, 7_200_000, 43_200_000)  # milliseconds after each failure in a row; one more is the last
FEW = 50  # accounts of one look
BY = "automatic top-up"


async def watch(control: Control) -> None:
    """Until it is cancelled."""
    while True:
        try:
            await look(control)
        except Exception as error:  # noqa: BLE001  whatever it is, the next look may go well
            log.warning("credit could not be topped up automatically: %r", error)
        await asyncio.sleep(EVERY)


async def look(control: Control) -> None:
    """Tops up what is due now. Raises StoreUnavailable."""
    async with control.database.reading() as connection:
        accounts = await topups.due(connection, instants.now(), FEW)
    for account in accounts:
        await _top_up(control, account)


async def _top_up(control: Control, account: str) -> None:
    payments, now = control.payments, instants.now()
    async with control.database.writing() as connection:
        if not await topups.claim(connection, account, now, now + LEASE):
            return
        payer = await topups.payer(connection, account)
        row = await topups.automatic(connection, account)
        if row is None and payer.amount is not None and await topups.low(connection, account):
            row = made(account, payments.name, AUTO, payer.amount, payer.means, BY)
            await topups.add(connection, row)
        elif row is None:
            return
    if row.method != payments.name or not payments.charges:
        waits = f"top-up {ids.text(row.id)} waits until an operator marks it paid"
        await _note(control, account, due_at=now + AGAIN, error=waits)
        return
    try:
        payment = await _charged(control, row, payer)
    except PaymentRefused as error:
        payment = Payment(row.intent or "", FAILED, reason=error.reason)
    except PaymentsAway:
        await _note(control, account, due_at=now + AGAIN, error="the payment service does not answer")
        return
    after = await settle(control, News("state", ids.text(row.id), payment))
    state = payment.state if after.row is None else after.row.state
    if state == PENDING:
        await _note(control, account, due_at=now + AGAIN)
    elif state == COMPLETED:
        await _note(control, account, due_at=now, failures=0, error=None)
    else:
        await _failed(control, account, payment.reason or "the payment was canceled", now)


async def _charged(control: Control, row: TopupRow, payer: PayerRow) -> Payment:
    """One whose means was declined is ended at the payment service, so that nobody pays it later."""
    payments = control.payments
    if row.intent is not None:
        return await payments.look(row.intent)
    if not row.means:
        raise PaymentRefused("no means of payment is saved")
    named = await customer(Context(control, row.account, BY), payer)
    return await payments.charge(Bill(ids.text(row.id), row.account, row.amount, named, row.means))


async def _failed(control: Control, account: str, reason: str, now: int) -> None:
    async with control.database.writing() as connection:
        payer = await topups.payer(connection, account)
        failures = payer.failures + 1
        last = failures > len(WAITS)
        disabled = f"{failures} automatic top-ups in a row failed; set the configuration again" if last else None
        row = msgspec.structs.replace(
            payer,
            failures=failures,
            error=reason,
            failed_at=now,
            disabled=disabled,
            due_at=now if last else now + WAITS[failures - 1],
        )
        await topups.set_payer(connection, row)
    log.warning("the automatic top-up of account %s failed: %s", account, reason)


async def _note(control: Control, account: str, **changes: object) -> None:
    async with control.database.writing() as connection:
        payer = await topups.payer(connection, account)
        await topups.set_payer(connection, msgspec.structs.replace(payer, **changes))
