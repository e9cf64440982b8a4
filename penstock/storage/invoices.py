"""Closed months. Amounts are cents; rows are only ever added."""

from typing import Any

import msgspec
from sqlalchemy import LargeBinary, Text, cast, func, insert, null, select, union_all

from penstock.storage.charged_usage import Usage
from penstock.storage.engine import Handle
from penstock.storage.payment_tables import invoice_lines, invoices, topups

_i, _l, _t = invoices.c, invoice_lines.c, topups.c


class InvoiceRow(msgspec.Struct, frozen=True):
    """An invoice. Columns as in ``payment_tables``."""

    id: str
    account: str
    month: int
    number: str
    issuer: str
    net: int
    tax: int
    tax_name: str
    tax_percent: str
    credits: int
    closed_at: int
    closed_by: str

    @property
    def total(self) -> int:
        return self.net + self.tax

    @property
    def due(self) -> int:
        """What credit had not paid when the month ended."""
        return self.total - self.credits


class Line(msgspec.Struct, frozen=True):
    """``cents``: of the invoice's net."""

    usage: Usage
    cents: int


_INVOICE = select(*(_i[name] for name in InvoiceRow.__struct_fields__))


async def add(connection: Handle, row: InvoiceRow, lines: list[Line]) -> None:
    await connection.execute(insert(invoices).values(msgspec.structs.asdict(row)))
    values = [
        {"invoice": row.id, "place": place, **line.usage._asdict(), "cents": line.cents}
        for place, line in enumerate(lines)
    ]
    await connection.execute(insert(invoice_lines), values)


async def of(connection: Handle, account: str, month: int | None = None) -> list[InvoiceRow]:
    """An account's, newest first; all, or that of a month."""
    wanted = _INVOICE.where(_i.account == account).order_by(_i.month.desc())
    rows = await connection.execute(wanted if month is None else wanted.where(_i.month == month))
    return [InvoiceRow(*row) for row in rows]


async def get(connection: Handle, account: str, invoice: str) -> InvoiceRow | None:
    row = (await connection.execute(_INVOICE.where(_i.account == account, _i.id == invoice))).one_or_none()
    return None if row is None else InvoiceRow(*row)


async def lines(connection: Handle, invoice: str) -> list[Line]:
    wanted = select(*(_l[name] for name in Usage._fields), _l.cents).where(_l.invoice == invoice).order_by(_l.place)
    return [Line(Usage(*row[:-1]), row[-1]) for row in map(tuple[Any, ...], await connection.execute(wanted))]


async def count(connection: Handle, month: int) -> int:
    """Of all accounts."""
    return (await connection.execute(select(func.count()).select_from(invoices).where(_i.month == month))).scalar_one()


async def history(
    connection: Handle, account: str, origin: str | None, limit: int, offset: int
) -> tuple[list[tuple[bytes | None, str | None]], int]:
    """What an account was billed, newest first: ids of top-ups, or of invoices; and how many there are in all.

    ``origin``: only top-ups of it.
    """
    paid = select(_t.created_at.label("at"), _t.id.label("topup"), cast(null(), Text).label("invoice"))
    paid = paid.where(_t.account == account)
    if origin is not None:
        wanted = paid.where(_t.origin == origin).subquery()
    else:
        billed = select(_i.closed_at, cast(null(), LargeBinary), _i.id).where(_i.account == account)
        wanted = union_all(paid, billed).subquery()
    order = (wanted.c.at.desc(), wanted.c.topup.desc(), wanted.c.invoice.desc())
    rows = await connection.execute(
        select(wanted.c.topup, wanted.c.invoice).order_by(*order).limit(limit).offset(offset)
    )
    total = (await connection.execute(select(func.count()).select_from(wanted))).scalar_one()
    return [(row[0], row[1]) for row in rows], total
