"""What becomes of a top-up, whoever tells it: an operator, or a method of payment, how often and in any order.

Credit is given in the transaction that says that the top-up is completed, under its id, so it is given once.
"""

import asyncio
import hashlib
from typing import NamedTuple

import msgspec

from penstock.control.context import Control
from penstock.core import ids, instants
from penstock.core.logs import log
from penstock.model.money import CENT
from penstock.ports.payments import News, Payment, PaymentRefused, PaymentsAway
from penstock.storage import gateways, ledger, topups
from penstock.storage.configuration import raise_version
from penstock.storage.engine import Handle, within
from penstock.storage.ledger import CREDIT, PAYMENTS, REFUND, TOPUP, Entry
from penstock.storage.topups import CANCELED, COMPLETED, PENDING, TopupRow

PATIENCE = 8.0  # seconds


class Settled(NamedTuple):
    """``row``: as it stands now; None: there is no such top-up. ``paid``: it was completed just now."""

    row: TopupRow | None
    paid: bool = False


async def settle(control: Control, news: News) -> Settled:
    """Raises StoreUnavailable."""
    async with control.database.writing() as connection:
        before = await topups.find(connection, _id(news.topup), news.payment.intent)
        if before is None:
            return Settled(None)
        row = await settled(connection, before, news)
        paid = row.state == COMPLETED and before.state != COMPLETED
        moved = paid or news.kind != "state"
        if moved:
            # Its gateways know what the account may spend.
            await gateways.touch_all(connection, row.account, await raise_version(connection))
    if moved:
        await control.refresh()
    if row.state == COMPLETED and news.payment.saved and not row.means:
        await _save(control, row.account, news.payment.saved, again=not paid)
    return Settled(row, paid)


async def settled(connection: Handle, row: TopupRow, news: News) -> TopupRow:
    """The same within a transaction; returns the row as it is now."""
    now, old = instants.now(), row
    if row.intent is None and row.method != "manual" and news.payment.intent:
        row = msgspec.structs.replace(row, intent=news.payment.intent)
    match news.kind:
        case "state":
            row = await _stands(connection, row, news.payment, now)
        case "refunded":
            row = await _refunded(connection, row, news.amount, now)
        case "withdrawn" | "reinstated":
            amount = news.amount if news.kind == "withdrawn" else -news.amount
            name = f"{news.kind}:{news.id}"
            note = f"dispute {news.id}: {news.kind}"
            await _post(connection, row, _derived(row.id, name), REFUND, -amount, note, now)
    if row != old:
        row = msgspec.structs.replace(row, modified_at=now)
        await topups.change(connection, row)
    return row


async def _stands(connection: Handle, row: TopupRow, payment: Payment, now: int) -> TopupRow:
    """What comes late changes nothing: a completed one stays so, and one that has failed can only be completed."""
    if row.state == COMPLETED:
        return row
    if payment.state == COMPLETED:
        if payment.amount != row.amount:
            log.warning(
                "top-up %s: %d cents were paid, %d were asked for", ids.text(row.id), payment.amount, row.amount
            )
        await _post(connection, row, row.id, TOPUP, payment.amount, f"top-up by {row.method}", now)
        due = None if row.method == "manual" else now
        return msgspec.structs.replace(row, state=COMPLETED, paid=payment.amount, reason=None, invoice_due=due)
    if row.state != PENDING:
        return row
    state = CANCELED if payment.state == CANCELED else payment.state
    return msgspec.structs.replace(row, state=state, reason=payment.reason or row.reason)


async def _refunded(connection: Handle, row: TopupRow, total: int, now: int) -> TopupRow:
    """``total``: of all refunds so far; one that was told later may come first."""
    if total <= row.refunded:
        return row
    amount = row.refunded - total
    await _post(connection, row, _derived(row.id, f"refunded:{total}"), REFUND, amount, "refund of a top-up", now)
    return msgspec.structs.replace(row, refunded=total)


async def _post(
    connection: Handle, row: TopupRow, entry_id: bytes, kind: str, amount: int, note: str, now: int
) -> None:
    nano = amount * CENT
    lines = ((CREDIT, nano), (PAYMENTS, -nano))
    entry = Entry(entry_id, row.account, kind, now, note, row.intent or ids.text(row.id), lines)
    await within(connection, lambda sql: ledger.post(sql, [entry]))


async def _save(control: Control, account: str, means: str, *, again: bool) -> None:
    """Keeps what has paid for the next time. That can wait: the credit is there. ``again``: where it was not kept."""
    if again:
        async with control.database.reading() as connection:
            if (await topups.payer(connection, account)).means:
                return
    try:
        async with asyncio.timeout(PATIENCE):  # or the webhook would be sent again
            saved = await control.payments.saved(means)
    except (PaymentRefused, PaymentsAway, TimeoutError) as error:
        log.warning("a means of payment could not be looked at: %r", error)
        return
    async with control.database.writing() as connection:
        payer = await topups.payer(connection, account)
        row = msgspec.structs.replace(payer, means=saved.id, brand=saved.brand, last4=saved.last4)
        await topups.set_payer(connection, row)


def _id(text: str) -> bytes | None:
    try:
        return ids.parse(text)
    except ValueError:
        return None


def _derived(topup: bytes, name: str) -> bytes:
    """The same id each time, of the time of the top-up's own."""
    last = int.from_bytes(hashlib.sha256(topup + name.encode()).digest()[:8], "big")
    return topup[:8] + (last & (1 << 62) - 1 | 1 << 63).to_bytes(8, "big")
