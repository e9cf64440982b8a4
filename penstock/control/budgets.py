"""What is taken of budgets: as it is counted now, or, where that is done elsewhere, as it is written."""

from collections.abc import Sequence
from typing import Any

from penstock.control.context import Control
from penstock.core import instants
from penstock.model.money import NANO, Budget
from penstock.ports.reservations import Held
from penstock.storage import spending
from penstock.storage.engine import within

LAST = 253_402_300_799_000  # milliseconds: the end of the year 9999


async def held(control: Control, budgets: Sequence[Budget], now: int) -> list[Held]:
    """Of each; ``reserved`` below 0: this process does not know it."""
    if not budgets:
        return []
    if control.reservations is not None:
        return await control.reservations.look(budgets)
    async with control.database.reading() as connection:
        written = await within(connection, lambda sql: spending.counted(sql, budgets, now))
    return [Held(written[budget.owner], -1) for budget in budgets]


def told(budget: Budget, found: Held, now: int) -> dict[str, Any]:
    """In dollars, and when its window ends, as the API says it."""
    window = budget.window
    ends = window.ends(window.bucket(now))
    return {
        "spent": found.spent / NANO,
        "reserved": None if found.reserved < 0 else found.reserved / NANO,
        "resets_at": instants.text(ends) if window.technique == "fixed" and ends <= LAST else None,
    }
