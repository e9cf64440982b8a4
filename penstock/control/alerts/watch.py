"""Evaluates alerts and delivers what they say, again and again. Several processes may: each takes what is due."""

import asyncio

from penstock.control.alerts.deliver import Sender
from penstock.control.alerts.evaluate import evaluate
from penstock.core import instants
from penstock.core.logs import log
from penstock.storage import alert_deliveries
from penstock.storage.engine import Database

EVERY = 15.0  # seconds between two looks at an alert


async def watch(database: Database, sender: Sender) -> None:
    """Until it is cancelled. While the store is away, nothing is told."""
    while True:
        try:
            more = await evaluate(database, EVERY)
            more = bool(await sender.due()) or more
            pause = 0.0 if more else await _pause(database)
        except Exception as error:  # noqa: BLE001  whatever it is, the next look may go well
            log.warning("alerts could not be evaluated or delivered: %r", error)
            pause = EVERY
        await asyncio.sleep(pause)


async def _pause(database: Database) -> float:
    """Seconds until something is to be done."""
    async with database.reading() as connection:
        due = await alert_deliveries.next_due(connection)
    return EVERY if due is None else min(EVERY, max(0.05, (due - instants.now()) / 1000))
