"""The account's spending limit: what all its calls may cost (docs/spend-limits.md)."""

from typing import Annotated, Any, Literal

import msgspec
from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field

from penstock.control import budgets
from penstock.control.context import Context, changing, refuse_limited
from penstock.control.envelope import One
from penstock.control.rest import InContext, needs, ok, refusals, resource
from penstock.control.values import WHOLE
from penstock.core import instants
from penstock.model.money import CENT, Budget, Window
from penstock.model.token import Scope
from penstock.storage import gateways, spending_limits
from penstock.storage.spending_limits import LimitRow

LEAST, MOST = 100, 100_000_000_000  # cents
_UNITS = {"daily": "day", "weekly": "week", "monthly": "month"}
_NOTHING: dict[str, Any] = {"amount": None, "duration": None, "strategy": None}


# What the API accepts and returns


class SpendingLimit(BaseModel):
    """A limit."""

    model_config = ConfigDict(extra="forbid", strict=True)

    amount: Annotated[int, Field(ge=LEAST, le=MOST, description="Cents."), WHOLE]
    duration: Literal["daily", "weekly", "monthly"]
    strategy: Literal["fixed", "sliding"]


class SpendingConfig(BaseModel):
    """The limit that is set; null where none is."""

    amount: int | None
    duration: str | None
    strategy: str | None


class SpendingState(BaseModel):
    """The limit of the account."""

    config: SpendingConfig
    enabled: bool


class Nothing(BaseModel):
    """Nothing to tell."""


# Rules


def budget(row: LimitRow) -> Budget:
    """What gateways of the account enforce."""
    return Budget(f"account:{row.account}", row.amount * CENT, Window(row.strategy, _UNITS[row.duration]))


async def get(context: Context) -> dict[str, Any]:
    """Raises NotPermitted; so do all below."""
    _manages(context)
    async with context.control.database.reading() as connection:
        row = await spending_limits.get(connection, context.account)
    return {"config": _told(row) or _NOTHING, "enabled": row is not None}


async def standing(context: Context) -> dict[str, Any] | None:
    """What is spent of it, as ``budgets.told`` says; None: there is none."""
    _manages(context)
    async with context.control.database.reading() as connection:
        row = await spending_limits.get(connection, context.account)
    if row is None:
        return None
    limit, now = budget(row), instants.now()
    (found,) = await budgets.held(context.control, [limit], now)
    return budgets.told(limit, found, now)


async def put(context: Context, body: SpendingLimit) -> None:
    _manages(context)
    row = LimitRow(context.account, body.amount, body.duration, body.strategy, instants.now())
    await _change(context, row)


async def delete(context: Context) -> None:
    """Where there is none, nothing happens."""
    _manages(context)
    await _change(context, None)


async def _change(context: Context, row: LimitRow | None) -> None:
    """What changes nothing leaves no trace."""
    async with changing(context) as change:
        before = await spending_limits.get(change.connection, context.account)
        if _told(before) == _told(row):
            return
        if row is None:
            await spending_limits.delete(change.connection, context.account)
        else:
            await spending_limits.put(change.connection, row)
        deed = "delete" if row is None else "set"
        version = await change.record(f"spending_limit.{deed}", context.account, _told(before), _told(row))
        await gateways.touch_all(change.connection, context.account, version)


def _told(row: LimitRow | None) -> dict[str, Any] | None:
    if row is None:
        return None
    members = msgspec.structs.asdict(row)
    return {name: members[name] for name in _NOTHING}


def _manages(context: Context) -> None:
    """Raises NotPermitted."""
    refuse_limited(context, "manage the account's spending limit")


# Addresses

router = resource("/ai-gateway/billing/spending-limit", "Billing")


@router.get("", response_model=One[SpendingState])
@needs(Scope.READ)
async def get_spending_limit(context: InContext) -> Response:
    """Show what all calls of the account may cost."""
    return ok(await get(context))


@router.post("", response_model=One[Nothing], responses=refusals(413))
@needs(Scope.WRITE)
async def set_spending_limit(context: InContext, body: SpendingLimit) -> Response:
    """Limit what all calls of the account may cost, in the place of the limit there was."""
    await put(context, body)
    return ok({})


@router.delete("", response_model=One[Nothing])
@needs(Scope.WRITE)
async def delete_spending_limit(context: InContext) -> Response:
    """Limit it no longer."""
    await delete(context)
    return ok({})
