"""Looks whether alerts are to fire: when a condition begins to hold, and again when it does no longer."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from penstock.control.alerts.kinds import KINDS, Reading
from penstock.control.alerts.messages import FIRING, RESOLVED, message, told
from penstock.core import instants
from penstock.storage import alert_deliveries, alerts
from penstock.storage.alert_deliveries import DeliveryRow
from penstock.storage.alerts import AlertRow, State
from penstock.storage.engine import Database

AT_ONCE = 20  # alerts that are claimed together
MOST = 100  # subjects of which an alert begins to tell in one turn; of the others in the next ones


class Turn(NamedTuple):
    """What is to be written. ``state`` None: what was told of the subject is forgotten."""

    subject: str
    state: State | None
    message: DeliveryRow | None


async def evaluate(database: Database, every: float) -> bool:
    """Some alerts that are due, and no other process the same ones for ``every`` seconds. False: there are no more.

    Raises StoreUnavailable.
    """
    now = instants.now()
    async with database.reading() as connection:
        ids = await alerts.due(connection, now, AT_ONCE)
    if not ids:
        return False
    async with database.writing() as connection:
        rows = await alerts.claim(connection, ids, now, now + int(every * 1000))
    for row in rows:
        if (kind := KINDS.get(row.kind)) is None:
            continue  # of a later version, beside which this process still runs
        async with database.reading() as connection:
            readings = await kind.measure(connection, row, now)
            seen = turns(row, readings, await alerts.states(connection, row.id), now)
        if seen:
            await _write(database, row, readings, now)
    return len(ids) == AT_ONCE


async def _write(database: Database, row: AlertRow, readings: Sequence[Reading], now: int) -> None:
    """What was found, by the states as they are now: nobody else changes them meanwhile."""
    async with database.writing() as connection:
        there = await alerts.get(connection, row.account, row.id)
        if there is None or there.due_at is None or there.modified_at != row.modified_at:
            return
        for turn in turns(row, readings, await alerts.states(connection, row.id), now):
            if turn.state is None:
                await alerts.forget(connection, row.id, turn.subject)
            else:
                await alerts.set_state(connection, row.id, turn.state)
            if turn.message is not None:
                await alert_deliveries.add(connection, turn.message)


def turns(row: AlertRow, readings: Sequence[Reading], states: Mapping[str, State], now: int) -> list[Turn]:
    """What has turned since ``states`` were written."""
    kind, window = KINDS[row.kind], row.settings["window_seconds"] * 1000
    holding = {reading.subject: reading for reading in readings if kind.holds(reading, row.settings)}
    found: list[Turn] = []
    for subject, reading in holding.items():
        state = states.get(subject)
        if len(found) < MOST and (state is None or (state.since is None and now >= state.fired_at + window)):
            since = reading.since or now
            fired = message(row, FIRING, subject, told(row, reading.about, reading), now, since)
            found.append(Turn(subject, State(subject, since, now, reading.about), fired))
    known = {reading.subject: reading for reading in readings}
    for subject, state in states.items():
        if subject in holding:
            continue
        if state.since is not None:
            data = told(row, state.about, known.get(subject))
            over = message(row, RESOLVED, subject, data, now, state.since)
            found.append(Turn(subject, State(subject, None, state.fired_at, state.about), over))
        elif now >= state.fired_at + window:
            found.append(Turn(subject, None, None))
    return found
