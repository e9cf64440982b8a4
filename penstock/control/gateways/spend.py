"""What is spent of the rules of a gateway (docs/spend-limits.md): a counter for each, or for each of its partitions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import unquote

from fastapi import Query, Response
from pydantic import BaseModel, Field

from penstock.control import budgets
from penstock.control.context import Context, found
from penstock.control.envelope import Many, Paging
from penstock.control.gateways.spend_limits import rules
from penstock.control.rest import InContext, listed, needs, resource
from penstock.core import instants
from penstock.features.spend.rules import Rule, owner_of
from penstock.model.money import NANO, Budget
from penstock.model.token import Scope
from penstock.ports.reservations import Held
from penstock.storage import gateways, spending
from penstock.storage.engine import within
from penstock.storage.sql import Statements

# What the API returns


class SpendCounter(BaseModel):
    """What is spent of a rule."""

    rule: str = Field(description="The id of the rule, or the name it has without one.")
    partition: dict[str, str] = Field(description="The values of the metadata keys that it is partitioned by.")
    limit: float = Field(description="US dollars.")
    window: int = Field(description="Seconds.")
    technique: Literal["fixed", "sliding"]
    spent: float = Field(description="US dollars, within the window.")
    reserved: float | None = Field(description="US dollars, by calls that run; null: this process does not know it.")
    resets_at: datetime | None = Field(description="When a fixed window ends.")


class _Counter(NamedTuple):
    rule: Rule
    budget: Budget
    values: tuple[str, ...] = ()


# Rules


async def page(context: Context, gateway_id: str, asked: Paging) -> tuple[list[dict[str, Any]], int]:
    """In order of the rules; of a partitioned one those counters of which something is spent within its window, by the
    values. And how many there are in all. Raises NotFound.
    """
    control, now = context.control, instants.now()
    async with control.database.reading() as connection:
        row = found(await gateways.get(connection, context.account, gateway_id))
        some = rules(row.settings.get("spend_limits"))
        counters, total = await within(connection, lambda sql: _page(sql, row.number, some, asked, now))
    held = await budgets.held(control, [counter.budget for counter in counters], now)
    return [_told(*pair, now) for pair in zip(counters, held, strict=True)], total


async def limited(context: Context, asked: Paging) -> tuple[list[tuple[str, tuple[Rule, ...]]], int]:
    """The gateways that have spend limits, oldest first, each with its rules that are on; and how many there are."""
    async with context.control.database.reading() as connection:
        rows, total = await gateways.page(
            connection,
            context.account,
            among=context.limited_to,
            having="spend_limits",
            limit=asked.per_page,
            offset=asked.offset,
        )
    return [(row.id, rules(row.settings.get("spend_limits"))) for row in rows], total


def _page(
    connection: Statements, number: int, some: Sequence[Rule], asked: Paging, now: int
) -> tuple[list[_Counter], int]:
    """Only the names of counters on the page are read; the others are counted."""
    counters: list[_Counter] = []
    skip, room, total = asked.offset, asked.per_page, 0
    for rule in some:
        owner = owner_of(number, rule.name)
        if not rule.partitions:
            count, owners = 1, [owner][: min(1, room) if not skip else 0]
        else:
            since = rule.window.oldest(now)
            count = spending.count_owners(connection, f"{owner}:", since)
            owners = spending.owners(connection, f"{owner}:", since, room, skip) if room and skip < count else []
        for name in owners[:room]:
            values = name.removeprefix(owner).split(":")[1:]
            counters.append(_Counter(rule, Budget(name, rule.limit, rule.window), tuple(map(unquote, values))))
        room -= len(owners)
        skip, total = max(0, skip - count), total + count
    return counters, total


def _told(counter: _Counter, held: Held, now: int) -> dict[str, Any]:
    rule = counter.rule
    return {
        "rule": rule.name,
        "partition": dict(zip(rule.partitions, counter.values, strict=False)),
        "limit": rule.limit / NANO,
        "window": rule.window.units,
        "technique": rule.window.technique,
        **budgets.told(counter.budget, held, now),
    }


# Addresses

router = resource("/ai-gateway/gateways/{gateway_id}/spend", "Gateways")


@router.get("", response_model=Many[SpendCounter])
@needs(Scope.READ, Scope.METADATA)
async def list_spend(context: InContext, gateway_id: str, asked: Annotated[Paging, Query()]) -> Response:
    """List what is spent of the gateway's spend limits. An addition of Penstock."""
    return listed(await page(context, gateway_id, asked), asked)
