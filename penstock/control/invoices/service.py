"""What accounts are billed: the history, the month that runs, and documents."""

from collections.abc import Sequence
from typing import Any

from penstock.control.context import Context, Control, found, refuse_limited
from penstock.control.invoices import schema
from penstock.control.invoices.documents import FORMATS, Document, rendered
from penstock.control.invoices.schema import HistoryPaging
from penstock.control.logs.service import settled
from penstock.core import ids, instants
from penstock.core.errors import NotFound
from penstock.model.billing import remaining, sums
from penstock.storage import charged_usage, invoices, ledger, topups
from penstock.storage.charged_usage import month_of
from penstock.storage.engine import Handle, within
from penstock.storage.invoices import InvoiceRow
from penstock.storage.ledger import CREDIT

_FOR_EVER = 1 << 20  # a month


async def preview(context: Context) -> dict[str, Any]:
    """Members as in ``schema.InvoicePreview``. Raises NotPermitted; so do all below."""
    _manages(context)
    await settled(context.control)
    month = month_of(instants.now())
    async with context.control.database.reading() as connection:
        usage, credit = await _running(connection, context.account)
    terms = context.control.terms
    return schema.preview(usage, sums([line.amount for line in usage], terms, credit), terms, month)


async def history(context: Context, asked: HistoryPaging, base: str) -> dict[str, Any]:
    """Members as in ``schema.InvoiceHistory``. ``base``: the address of this server, for links."""
    _manages(context)
    account = context.account
    origin = None if asked.type == "all" else asked.type
    async with context.control.database.reading() as connection:
        rows, total = await invoices.history(connection, account, origin, asked.per_page, asked.offset)
        left = await _remaining(connection, account) if any(name for _, name in rows) else {}
        told = [await _bill(connection, account, topup, name, left, base) for topup, name in rows]
    pagination = {
        "has_more": asked.offset + len(rows) < total,
        "page": asked.page,
        "per_page": asked.per_page,
        "total_count": total,
    }
    return {"invoices": told, "pagination": pagination}


async def document(context: Context, name: str) -> tuple[bytes, str]:
    """``{id}.pdf``, ``.html`` or ``.csv``, and its content type. Raises NotFound, and Conflict without the library."""
    _manages(context)
    bill, _, kind = name.rpartition(".")
    if kind not in FORMATS:
        raise NotFound("Not found: a document is {id}.pdf, {id}.html or {id}.csv.")
    async with context.control.database.reading() as connection:
        one = await _document(connection, context, bill)
    return rendered([one], kind), FORMATS[kind]


async def documents(control: Control, accounts: Sequence[str], month: int | None) -> list[Document]:
    """Of all invoices of these accounts, or those of one month."""
    made: list[Document] = []
    async with control.database.reading() as connection:
        for account in accounts:
            left = await _remaining(connection, account)
            made += [
                schema.invoice(row, await invoices.lines(connection, row.id), left[row.id][1])
                for row in await invoices.of(connection, account, month)
            ]
    return made


async def _document(connection: Handle, context: Context, bill: str) -> Document:
    if row := await invoices.get(connection, context.account, bill):
        left = await _remaining(connection, context.account)
        return schema.invoice(row, await invoices.lines(connection, row.id), left[row.id][1])
    try:
        topup = ids.parse(bill)
    except ValueError:
        raise NotFound from None
    return schema.receipt(found(await topups.get(connection, context.account, topup)), context.control.terms.issuer)


async def _bill(
    connection: Handle,
    account: str,
    topup: bytes | None,
    name: str | None,
    left: dict[str, tuple[InvoiceRow, int]],
    base: str,
) -> dict[str, Any]:
    at = f"{base.rstrip('/')}/client/v4/accounts/{account}/ai-gateway/billing/invoices"
    if topup is None:
        assert name is not None
        row, still = left[name]
        return schema.month(row, still, f"{at}/{name}.pdf")
    return schema.topup(found(await topups.get(connection, account, topup)), f"{at}/{ids.text(topup)}.pdf")


async def _remaining(connection: Handle, account: str) -> dict[str, tuple[InvoiceRow, int]]:
    """All of an account's invoices by id, with what of each is still to be paid."""
    rows = await invoices.of(connection, account)
    usage, credit = await _running(connection, account)
    left = remaining([row.due for row in rows], credit, sum(line.amount for line in usage))
    return {row.id: (row, still) for row, still in zip(rows, left, strict=True)}


async def _running(connection: Handle, account: str) -> tuple[list[charged_usage.Usage], int]:
    """What is on no invoice yet, and the account's credit in nano-dollars."""
    usage = await within(connection, lambda sql: charged_usage.unbilled(sql, account, _FOR_EVER))
    books = await within(connection, lambda sql: ledger.balances(sql, account))
    return usage, books[CREDIT]


def _manages(context: Context) -> None:
    refuse_limited(context, "see what the account is billed")
