"""What bills look like on the wire. Amounts are cents of US dollars, times seconds since the epoch, as at Stripe."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, Field

from penstock.control.envelope import Paging
from penstock.control.invoices.documents import Document, Item
from penstock.core import ids
from penstock.model.billing import Sums, Terms, apportioned
from penstock.model.money import CENT
from penstock.storage.charged_usage import Usage, spelt, start_of
from penstock.storage.invoices import InvoiceRow, Line
from penstock.storage.topups import CANCELED, COMPLETED, FAILED, PENDING, TopupRow

USD = "usd"
_STATUS = {PENDING: "open", COMPLETED: "paid", FAILED: "uncollectible", CANCELED: "void"}
_CREDITS = "credit_balance_transaction"


class HistoryPaging(Paging):
    """Query parameters of the history."""

    type: Literal["auto", "all", "manual"] = Field("all", description="Which: automatic top-ups, other ones, or all.")


class Invoice(BaseModel):
    """A top-up, or a month."""

    id: str
    amount_due: int
    amount_paid: int
    amount_remaining: int
    currency: str
    attempt_count: int
    attempted: bool
    auto_advance: bool
    created: int
    created_by: str
    description: str
    invoice_origin: str = Field(description="manual or auto: a top-up; month: what calls were charged in a month.")
    invoice_pdf: str
    hosted_invoice_url: str | None = Field(None, description="Where Stripe shows the invoice of a top-up.")
    status: str


class Pagination(BaseModel):
    """Where a page stands."""

    has_more: bool
    page: int
    per_page: int
    total_count: int


class InvoiceHistory(BaseModel):
    """What the account was billed, newest first."""

    invoices: list[Invoice]
    pagination: Pagination


class Period(BaseModel):
    """From when, and until before when."""

    start: int
    end: int


class Pricing(BaseModel):
    """What one costs."""

    unit_amount_decimal: str | None = Field(None, description="Cents, on average.")


class PretaxCredit(BaseModel):
    """What credit pays of a line."""

    amount: int
    type: str
    credit_balance_transaction: str | None = None
    discount: str | None = None


class PreviewLine(BaseModel):
    """The calls to one model, or the tax."""

    amount: int
    currency: str
    description: str | None
    period: Period
    pricing: Pricing
    quantity: int
    pretax_credit_amounts: list[PretaxCredit] | None = None


class InvoicePreview(BaseModel):
    """The invoice of this month, as it is now."""

    id: str
    amount_due: int
    amount_paid: int
    amount_remaining: int
    currency: str
    invoice_lines: list[PreviewLine]
    period_end: int
    period_start: int
    status: Literal["draft", "open", "paid", "uncollectible", "void"]


def preview(usage: Sequence[Usage], found: Sums, terms: Terms, month: int) -> dict[str, Any]:
    """``found``: of ``usage``. Lines and tax come to what is due and what credit pays."""
    period = {"start": start_of(month) // 1000, "end": start_of(month + 1) // 1000}
    rows = [
        (part, f"{line.provider} {line.model}".strip(), line.calls, line.amount)
        for line, part in zip(usage, found.parts, strict=True)
    ]
    if found.tax:
        rows.append((found.tax, f"{terms.tax_name} {terms.tax_percent} %", 1, found.tax * CENT))
    paid = apportioned(found.credits, [amount for amount, *_ in rows])
    lines = [
        {
            "amount": amount,
            "currency": USD,
            "description": description,
            "period": period,
            "pricing": {"unit_amount_decimal": _unit(nano, quantity)},
            "quantity": quantity,
            "pretax_credit_amounts": [{"amount": credit, "type": _CREDITS}] if credit else [],
        }
        for (amount, description, quantity, nano), credit in zip(rows, paid, strict=True)
    ]
    due = found.total - found.credits
    return {
        "id": f"upcoming_{spelt(month)}",
        "amount_due": due,
        "amount_paid": 0,
        "amount_remaining": due,
        "currency": USD,
        "invoice_lines": lines,
        "period_end": period["end"],
        "period_start": period["start"],
        "status": "draft",
    }


def _unit(nano: int, quantity: int) -> str | None:
    """Cents with twelve decimals at most."""
    if not quantity:
        return None
    return f"{(Decimal(nano) / CENT / quantity).quantize(Decimal(10) ** -12).normalize():f}"


def topup(row: TopupRow, link: str) -> dict[str, Any]:
    """A top-up as a bill."""
    paid = row.paid - row.refunded if row.state == COMPLETED else 0
    return {
        "id": ids.text(row.id),
        "amount_due": row.amount,
        "amount_paid": paid,
        "amount_remaining": row.amount if row.state == PENDING else 0,
        "currency": USD,
        "attempt_count": int(row.intent is not None),
        "attempted": row.intent is not None,
        "auto_advance": False,
        "created": row.created_at // 1000,
        "created_by": row.created_by,
        "description": "Credit",
        "invoice_origin": row.origin,
        "invoice_pdf": link,
        "status": _STATUS[row.state],
        **({} if row.invoice_url is None else {"hosted_invoice_url": row.invoice_url}),
    }


def month(row: InvoiceRow, left: int, link: str) -> dict[str, Any]:
    """``left``: cents that are still to be paid."""
    return {
        "id": row.id,
        "amount_due": row.total,
        "amount_paid": row.total - left,
        "amount_remaining": left,
        "currency": USD,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": False,
        "created": row.closed_at // 1000,
        "created_by": row.closed_by,
        "description": f"Calls of {spelt(row.month)}",
        "invoice_origin": "month",
        "invoice_pdf": link,
        "status": "open" if left else "paid",
    }


def invoice(row: InvoiceRow, lines: Sequence[Line], left: int) -> Document:
    """The document of a month."""
    items = tuple(_item(line.usage, line.cents) for line in lines)
    return Document(
        *("Invoice", row.id, row.number, row.account, row.issuer, row.closed_at, spelt(row.month)),
        *("open" if left else "paid", items, row.net, row.tax, row.tax_name, row.tax_percent, row.credits, left),
    )


def receipt(row: TopupRow, issuer: str) -> Document:
    """The document of a top-up."""
    item = Item("Credit for model calls", "", "", 0, 0, 0, row.amount * CENT, row.amount)
    left = row.amount if row.state == PENDING else 0
    name = ids.text(row.id)
    return Document(
        *("Receipt" if row.state == COMPLETED else "Top-up", name, name, row.account, issuer, row.modified_at, ""),
        *(row.state, (item,), row.amount, 0, "", "0", 0, left),
    )


def _item(usage: Usage, cents: int) -> Item:
    description = f"{usage.provider} {usage.model}".strip()
    return Item(description, usage.provider, usage.model, *usage[2:5], usage.amount, cents)
