"""The rules of top-ups."""

from typing import Any

import msgspec

from penstock.control.context import Context, changing, found, refuse_limited
from penstock.control.envelope import Paging
from penstock.control.topups.schema import ConfigCreate, TopupCreate, config, intent, told
from penstock.control.topups.settle import settle, settled
from penstock.core import ids, instants
from penstock.core.errors import Conflict, Invalid, NotFound, PaymentFailed, PaymentsUnavailable
from penstock.model.token import Token
from penstock.ports.payments import Bill, News, Payment, PaymentRefused, PaymentsAway, Saved
from penstock.storage import gateways, topups
from penstock.storage.topups import CANCELED, COMPLETED, FAILED, MANUAL, PENDING, PayerRow, TopupRow

MOST = 100  # top-ups of an account that wait
RECENT = 3_600_000  # milliseconds in which a top-up that was cut short goes on


async def create(context: Context, body: TopupCreate) -> tuple[dict[str, Any], str]:
    """Begins a top-up; answers it, and a sentence on what is to be done where that is not plain.

    One of the same amount and means goes on whose begin was cut short, so that a client may try again.
    Raises NotPermitted, Invalid, Conflict, PaymentFailed, PaymentsUnavailable.
    """
    _manages(context)
    payments = context.control.payments
    if body.payment_method_id and not payments.charges:
        raise Invalid("payment_method_id: no means of payment is kept here", path=("body", "payment_method_id"))
    async with changing(context) as change:
        payer = await topups.payer(change.connection, context.account)
        means = body.payment_method_id or payer.means
        since = instants.now() - RECENT
        row = await topups.unanswered(change.connection, context.account, body.amount, means, since)
        if row is None:
            if await topups.pending(change.connection, context.account) >= MOST:
                raise Conflict(f"{MOST} top-ups of the account wait already; cancel one first.")
            row = made(context.account, payments.name, MANUAL, body.amount, means, _name(context))
            await topups.add(change.connection, row)
            await change.record("topup.create", ids.text(row.id), None, told(row))
    try:
        payment, saved = await _begun(context, row, payer)
    except PaymentRefused as error:
        await fail(context, row, error.reason)
        if error.field:
            raise Invalid(f"{error.field}: {error.reason}", path=("body", error.field)) from error
        raise PaymentFailed(f"The payment was refused: {error.reason}") from error
    except PaymentsAway as error:
        raise PaymentsUnavailable from error
    after = await settle(context.control, News("state", ids.text(row.id), payment))
    row = after.row or row
    async with context.control.database.writing() as connection:
        await topups.answer(connection, row.id)
    answer = {
        "client_secret": payment.secret,
        "onboarding": bool(payer.means),
        "payment_intent_id": intent(row),
        "brand": saved.brand,
        "last4": saved.last4,
    }
    waits = "" if payments.charges else "The top-up waits until an operator marks it paid."
    return {name: value for name, value in answer.items() if value is not None}, waits


def made(account: str, method: str, origin: str, amount: int, means: str, by: str) -> TopupRow:
    """A new one."""
    now = instants.now()
    return TopupRow(ids.new(), account, method, origin, amount, means, PENDING, None, None, 0, 0, 0, by, now, now)


async def customer(context: Context, payer: PayerRow) -> str:
    """What the method of payment calls the account. Raises PaymentRefused and PaymentsAway."""
    if payer.customer:
        return payer.customer
    name = await context.control.payments.customer(payer.account)
    async with context.control.database.writing() as connection:
        there = await topups.payer(connection, payer.account)
        await topups.set_payer(connection, msgspec.structs.replace(there, customer=name))
    return name


async def status(context: Context, reference: str) -> tuple[dict[str, Any], str]:
    """Whether a top-up is paid, and what is known of one that is not. One that waits is asked for at the payment
    service, whose webhook may be late. Raises NotFound, and Conflict for one that will not be paid any more.
    """
    _manages(context)
    row = await _known(context, reference)
    if row.state == PENDING and row.method == context.control.payments.name and context.control.payments.charges:
        row = await _looked(context, row)
    if row.state in {FAILED, CANCELED}:
        raise Conflict(f"The top-up was not paid: {row.reason or row.state}.")
    state = COMPLETED if row.state == COMPLETED else PENDING
    return {"payment_intent_id": reference, "status": state}, row.reason or ""


async def page(context: Context, asked: Paging) -> tuple[list[dict[str, Any]], int]:
    """The account's top-ups, newest first."""
    _manages(context)
    async with context.control.database.reading() as connection:
        rows, total = await topups.page(connection, context.account, asked.per_page, asked.offset)
    return [told(row) for row in rows], total


async def paid(context: Context, topup: str) -> dict[str, Any]:
    """An operator says that a top-up of the manual method was paid. Raises NotFound and Conflict."""
    _manages(context)
    row = await _known(context, topup)
    if row.method != "manual":
        raise Conflict(f"The top-up is paid by {row.method}, which tells itself when it is.")
    return await _told(context, row, "topup.paid", Payment(topup, COMPLETED, row.amount))


async def cancel(context: Context, topup: str) -> dict[str, Any]:
    """A top-up that waits is not to be paid any more. Raises NotFound, Conflict, PaymentsUnavailable."""
    _manages(context)
    row = await _known(context, topup)
    payments, ended = context.control.payments, Payment(topup, CANCELED, reason="it was canceled")
    if row.state == PENDING and row.intent is not None and row.method == payments.name:
        try:
            ended = (await payments.cancel(row.intent))._replace(reason="it was canceled")
        except PaymentRefused as error:
            raise Conflict(f"The payment service does not cancel it: {error.reason}") from error
        except PaymentsAway as error:
            raise PaymentsUnavailable from error
    return await _told(context, row, "topup.cancel", ended)


async def _told(context: Context, row: TopupRow, deed: str, payment: Payment) -> dict[str, Any]:
    async with changing(context) as change:
        row = found(await topups.get(change.connection, row.account, row.id))
        if row.state == payment.state:
            return told(row)
        if row.state != PENDING:
            raise Conflict(f"The top-up is {row.state} already.")
        after = await settled(change.connection, row, News("state", "", payment))
        version = await change.record(deed, ids.text(row.id), told(row), told(after))
        if after.state == COMPLETED:
            await gateways.touch_all(change.connection, row.account, version)  # they know what the account has
    return told(after)


# Automatic top-ups


async def get_config(context: Context) -> dict[str, Any]:
    """The automatic top-up; empty: there is none."""
    _manages(context)
    async with context.control.database.reading() as connection:
        return config(await topups.payer(connection, context.account))


async def set_config(context: Context, body: ConfigCreate) -> dict[str, Any]:
    """What failed before is forgotten. Raises Conflict where nothing could be charged."""
    _manages(context)
    payments = context.control.payments
    async with changing(context) as change:
        payer = await topups.payer(change.connection, context.account)
        if payments.charges and not payer.means:
            raise Conflict("No means of payment is saved: make a top-up first, which saves the one that pays.")
        row = msgspec.structs.replace(
            _forgiven(payer), amount=body.amount, threshold=body.threshold, due_at=instants.now()
        )
        await topups.set_payer(change.connection, row)
        if config(row) != config(payer):
            await change.record("topup_config.set", context.account, config(payer) or None, config(row))
    return {"amount": body.amount, "threshold": body.threshold}


async def delete_config(context: Context) -> None:
    """There is no automatic top-up any more. One that was never there is no fault."""
    _manages(context)
    async with changing(context) as change:
        payer = await topups.payer(change.connection, context.account)
        if payer.amount is not None:
            await topups.set_payer(
                change.connection, msgspec.structs.replace(_forgiven(payer), amount=None, threshold=None)
            )
            await change.record("topup_config.delete", context.account, config(payer), None)


def _forgiven(payer: PayerRow) -> PayerRow:
    return msgspec.structs.replace(payer, failures=0, error=None, failed_at=None, disabled=None)


# Parts


async def _begun(context: Context, row: TopupRow, payer: PayerRow) -> tuple[Payment, Saved]:
    """Asking again under the same id comes to the same."""
    payments = context.control.payments
    if row.intent is not None:
        payment = await payments.look(row.intent)
    else:
        named = await customer(context, payer)
        payment = await payments.begin(Bill(ids.text(row.id), row.account, row.amount, named, row.means))
    if not row.means:
        return payment, Saved("")
    if row.means == payer.means:
        return payment, Saved(payer.means, payer.brand, payer.last4)
    return payment, await payments.saved(row.means)


async def _looked(context: Context, row: TopupRow) -> TopupRow:
    """As the payment service says; while it is away, as it is known here."""
    async with context.control.database.reading() as connection:
        payer = await topups.payer(connection, row.account)
    try:
        payment, _ = await _begun(context, row, payer)
    except (PaymentRefused, PaymentsAway):
        return row
    return (await settle(context.control, News("state", ids.text(row.id), payment))).row or row


async def fail(context: Context, row: TopupRow, reason: str) -> None:
    """It was refused, and nobody will pay it any more."""
    await settle(context.control, News("state", ids.text(row.id), Payment(row.intent or "", FAILED, reason=reason)))


async def _known(context: Context, reference: str) -> TopupRow:
    """By its id, or by what the payment service calls it. Raises NotFound."""
    try:
        topup = ids.parse(reference)
    except ValueError:
        topup = None
    async with context.control.database.reading() as connection:
        row = await topups.find(connection, topup, reference)
    if row is None or row.account != context.account:
        raise NotFound
    return row


def _name(context: Context) -> str:
    return context.actor.name if isinstance(context.actor, Token) else context.actor


def _manages(context: Context) -> None:
    """Raises NotPermitted."""
    refuse_limited(context, "see or change what the account pays")
