"""The rules of an account's money: who sees it, and what may be posted by hand."""

from collections.abc import Sequence
from typing import Any

from penstock.control.billing.schema import UsageQuery
from penstock.control.context import Context, changing, refuse_limited
from penstock.control.logs.service import settled
from penstock.control.topups.schema import config
from penstock.core import ids, instants
from penstock.core.errors import Invalid
from penstock.model.money import CENT, NANO
from penstock.storage import gateways, ledger, topups
from penstock.storage.engine import within
from penstock.storage.ledger import ADJUSTMENT, ADJUSTMENTS, CREDIT, GRANT, GRANTS, HOUR, USAGE, Entry

WINDOWS = {"hour": HOUR, "day": 24 * HOUR}
MOST = 10_000  # windows of one answer
LARGEST = 10**9 * NANO  # that can be posted at once
NOTE = 1000  # characters
_USUAL = {"hour": 7 * 24 * HOUR, "day": 30 * 24 * HOUR}  # milliseconds


async def credit_balance(context: Context) -> dict[str, Any]:
    """Members as in ``schema.CreditBalance``. Raises NotPermitted; so do all below."""
    _manages(context)
    await settled(context.control)
    async with context.control.database.reading() as connection:
        books = await within(connection, lambda sql: ledger.balances(sql, context.account))
        payer = await topups.payer(connection, context.account)
    return {
        "balance": books[CREDIT] / CENT,
        "has_default_payment_method": bool(payer.means),
        "payment_method": {"brand": payer.brand, "last4": payer.last4} if payer.means else None,
        "topup_config": config(payer),
        "first_topup_success": bool(books[ledger.PAYMENTS]),
    }


async def usage_history(context: Context, asked: UsageQuery) -> dict[str, Any]:
    """Members as in ``schema.UsageHistory``. Raises Invalid."""
    _manages(context)
    name = asked.value_grouping_window
    window = WINDOWS[name]
    until = instants.now() + 1 if asked.end_time is None else int(asked.end_time)
    since = until - _USUAL[name] if asked.start_time is None else int(asked.start_time)
    since, until = max(0, since // window * window), -(-until // window) * window
    if since >= until:
        raise Invalid("start_time: must be before end_time", path=("query", "start_time"))
    if (until - since) // window > MOST:
        raise Invalid(
            f"start_time: this would be more than {MOST:,} windows; ask for less", path=("query", "start_time")
        )
    await settled(context.control)
    async with context.control.database.reading() as connection:
        hours = await within(connection, lambda sql: ledger.hours(sql, context.account, USAGE, since, until))
    sums = dict.fromkeys(range(since, until, window), 0)
    for start, amount in hours:
        sums[start // window * window] += amount
    history = [
        {"id": f"{name}-{start}", "aggregated_value": amount / CENT, "start_time": start, "end_time": start + window}
        for start, amount in sums.items()
    ]
    return {"history": history}


async def entries(context: Context, kinds: Sequence[str], most: int) -> list[dict[str, Any]]:
    """The newest entries of the ledger that are of these kinds: what each did to the credit, in dollars."""
    _manages(context)
    await settled(context.control)
    async with context.control.database.reading() as connection:
        found = await within(connection, lambda sql: ledger.page(sql, context.account, most, kinds=kinds))
    return [
        {
            "id": ids.text(entry.id),
            "kind": entry.kind,
            "at": instants.text(entry.at),
            "credit": dict(entry.lines).get(CREDIT, 0) / NANO,
            "note": entry.note or "",
        }
        for entry in found
    ]


async def credit(context: Context, amount: int, note: str, *, adjustment: bool = False) -> Entry:
    """Posts a grant, or an adjustment, of so many nano-dollars; below 0 it is always an adjustment.

    Raises Invalid.
    """
    _manages(context)
    if not amount or abs(amount) > LARGEST:
        raise Invalid("amount: must be other than 0, and at most 1,000,000,000 dollars", path=("body", "amount"))
    if not note.strip() or len(note) > NOTE:
        raise Invalid(f"note: must be 1 to {NOTE} characters", path=("body", "note"))
    kind, book = (ADJUSTMENT, ADJUSTMENTS) if adjustment or amount < 0 else (GRANT, GRANTS)
    entry = Entry(
        ids.new(), context.account, kind, instants.now(), note.strip(), None, ((CREDIT, amount), (book, -amount))
    )
    async with changing(context) as change:
        await within(change.connection, lambda sql: ledger.post(sql, [entry]))
        told = {"amount": amount / NANO, "note": entry.note}
        version = await change.record(f"credit.{kind}", ids.text(entry.id), None, told)
        await gateways.touch_all(change.connection, context.account, version)  # they know what the account has
    return entry


def _manages(context: Context) -> None:
    refuse_limited(context, "see or change the money of the account")
