"""Top-ups of credit, and who pays for them. Amounts are cents, times milliseconds since the epoch."""

from typing import Any

import msgspec
from sqlalchemy import and_, func, insert, or_, select, update

from penstock.model.money import CENT
from penstock.storage.engine import Handle
from penstock.storage.ledger import CREDIT, WHOLE
from penstock.storage.payment_tables import payers, topups
from penstock.storage.tables import ledger_balances

PENDING, COMPLETED, FAILED, CANCELED = "pending", "completed", "failed", "canceled"
MANUAL, AUTO = "manual", "auto"
_t, _p, _b = topups.c, payers.c, ledger_balances.c


class TopupRow(msgspec.Struct, frozen=True):
    """A top-up. Columns as in ``tables``."""

    id: bytes
    account: str
    method: str
    origin: str
    amount: int
    means: str
    state: str
    reason: str | None
    intent: str | None
    paid: int
    refunded: int
    answered: int
    created_by: str
    created_at: int
    modified_at: int
    invoice: str | None = None
    invoice_url: str | None = None
    invoice_pdf: str | None = None
    invoice_tries: int = 0
    invoice_due: int | None = None


class PayerRow(msgspec.Struct, frozen=True):
    """Who pays, and what for automatically."""

    account: str
    customer: str = ""
    means: str = ""
    brand: str | None = None
    last4: str | None = None
    amount: int | None = None
    threshold: int | None = None
    failures: int = 0
    error: str | None = None
    failed_at: int | None = None
    disabled: str | None = None
    due_at: int = 0


_TOPUP = select(*(_t[name] for name in TopupRow.__struct_fields__))
_PAYER = select(*(_p[name] for name in PayerRow.__struct_fields__))


async def add(connection: Handle, row: TopupRow) -> None:
    await connection.execute(insert(topups).values(msgspec.structs.asdict(row)))


async def change(connection: Handle, row: TopupRow) -> None:
    await connection.execute(update(topups).where(_t.id == row.id).values(msgspec.structs.asdict(row)))


async def get(connection: Handle, account: str, topup: bytes) -> TopupRow | None:
    return await _one(connection, _TOPUP.where(_t.account == account, _t.id == topup))


async def find(connection: Handle, topup: bytes | None, intent: str) -> TopupRow | None:
    """Of any account: by its id, or by what the method of payment calls it."""
    wanted = _t.intent == intent if topup is None else or_(_t.id == topup, _t.intent == intent)
    return await _one(connection, _TOPUP.where(wanted).order_by(_t.id).limit(1))


async def page(
    connection: Handle, account: str, limit: int, offset: int, state: str | None = None
) -> tuple[list[TopupRow], int]:
    """An account's top-ups, newest first, and how many there are in all."""
    wanted = _t.account == account if state is None else and_(_t.account == account, _t.state == state)
    rows = await connection.execute(_TOPUP.where(wanted).order_by(_t.id.desc()).limit(limit).offset(offset))
    total = await connection.execute(select(func.count()).select_from(topups).where(wanted))
    return [TopupRow(*row) for row in rows], total.scalar_one()


async def pending(connection: Handle, account: str) -> int:
    """How many of an account's wait."""
    wanted = select(func.count()).select_from(topups).where(_t.account == account, _t.state == PENDING)
    return (await connection.execute(wanted)).scalar_one()


async def automatic(connection: Handle, account: str) -> TopupRow | None:
    """The account's automatic top-up that waits."""
    wanted = _TOPUP.where(_t.account == account, _t.state == PENDING, _t.origin == AUTO)
    return await _one(connection, wanted.order_by(_t.id).limit(1))


async def unanswered(connection: Handle, account: str, amount: int, means: str, since: int) -> TopupRow | None:
    """One asked for by hand, of that amount and means, of which nobody was told: its begin was cut short."""
    same = (_t.account == account, _t.origin == MANUAL, _t.amount == amount, _t.means == means, _t.answered == 0)
    recent = (_t.state.in_((PENDING, COMPLETED)), _t.created_at >= since)
    return await _one(connection, _TOPUP.where(*same, *recent).order_by(_t.id).limit(1))


async def answer(connection: Handle, topup: bytes) -> None:
    await connection.execute(update(topups).where(_t.id == topup).values(answered=1))


async def succeeded(connection: Handle, account: str) -> bool:
    """Whether any top-up of the account was ever paid."""
    wanted = select(_t.id).where(_t.account == account, _t.state == COMPLETED).limit(1)
    return (await connection.execute(wanted)).first() is not None


async def without_invoice(connection: Handle, method: str, now: int) -> TopupRow | None:
    """The first one, paid by a method, whose invoice is due to be made there."""
    wanted = _TOPUP.where(_t.invoice_due <= now, _t.method == method)
    return await _one(connection, wanted.order_by(_t.invoice_due).limit(1))


# Payers


async def payer(connection: Handle, account: str) -> PayerRow:
    """One of nothing where there is none yet."""
    row = (await connection.execute(_PAYER.where(_p.account == account))).one_or_none()
    return PayerRow(account) if row is None else PayerRow(*row)


async def set_payer(connection: Handle, row: PayerRow) -> None:
    values = msgspec.structs.asdict(row)
    done = await connection.execute(update(payers).where(_p.account == row.account).values(values))
    if not done.rowcount:
        await connection.execute(insert(payers).values(values))


_CREDIT = select(_b.amount).where(_b.account == _p.account, _b.book == CREDIT, _b.start == WHOLE).scalar_subquery()
_LOW = func.coalesce(_CREDIT, 0) < _p.threshold * CENT


async def due(connection: Handle, now: int, limit: int) -> list[str]:
    """Accounts whose automatic top-up is to be looked at: their credit is below the threshold, or one waits."""
    waits = select(_t.id).where(_t.account == _p.account, _t.state == PENDING, _t.origin == AUTO).exists()
    wanted = select(_p.account).where(_p.amount.is_not(None), _p.disabled.is_(None), _p.due_at <= now)
    return list((await connection.execute(wanted.where(or_(_LOW, waits)).order_by(_p.due_at).limit(limit))).scalars())


async def low(connection: Handle, account: str) -> bool:
    """Whether the account's credit is below the threshold."""
    return (await connection.execute(select(_p.account).where(_p.account == account, _LOW))).first() is not None


async def claim(connection: Handle, account: str, now: int, until: int) -> bool:
    """Whether it is still due. It is not again before ``until``, so that one process looks at it."""
    taken = await connection.execute(
        update(payers).where(_p.account == account, _p.due_at <= now, _p.disabled.is_(None)).values(due_at=until)
    )
    return bool(taken.rowcount)


async def _one(connection: Handle, wanted: Any) -> TopupRow | None:
    row = (await connection.execute(wanted)).one_or_none()
    return None if row is None else TopupRow(*row)
