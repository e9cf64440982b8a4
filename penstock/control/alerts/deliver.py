"""Delivers the webhooks of alerts: at least once, in order for each subject, with waits that grow, up to half a day."""

import asyncio
from typing import Any

import msgspec

from penstock.control.alerts.secret import place
from penstock.core import codec, instants
from penstock.core.addresses import Rules
from penstock.core.errors import PenstockError
from penstock.core.sealing import NotOpened, Vault
from penstock.core.telemetry import Telemetry
from penstock.features.webhooks import call, key_of, placed, signed
from penstock.ports.transport import Transport
from penstock.storage import alert_deliveries
from penstock.storage.alert_deliveries import DeliveryRow, Due
from penstock.storage.alerts import AlertRow
from penstock.storage.engine import Database

WAITS = (
    5,
    30,
    120,
    600,
    1800,
    3600,
    7200,
    14_400,
    14_400,
)  # seconds after the first attempt that failed, the second, …
LEASE = 30_000  # milliseconds after which an attempt whose process is gone is made again; longer than one takes
AT_ONCE = 20

_GOOD = range(200, 300)
_settings = codec.decoder(dict[str, Any]).decode


class Sender:
    """``rules``: which addresses may be called."""

    def __init__(
        self, database: Database, vault: Vault, transport: Transport, rules: Rules, telemetry: Telemetry
    ) -> None:
        self._database = database
        self._vault = vault
        self._transport = transport
        self._rules = rules
        self._telemetry = telemetry

    async def due(self) -> int:
        """Tries what is due, some at once; returns how many. Raises StoreUnavailable."""
        now = instants.now()
        async with self._database.reading() as connection:
            found = await alert_deliveries.due(connection, now, AT_ONCE)
        if not found:
            return 0
        async with self._database.writing() as connection:
            claimed = [(one, await alert_deliveries.claim(connection, one.row, now + LEASE)) for one in found]
        await asyncio.gather(*(self._again(one, row) for one, row in claimed if row is not None))
        return len(found)

    async def once(self, alert: AlertRow, row: DeliveryRow) -> DeliveryRow:
        """One attempt and no other; what came of it. Raises StoreUnavailable."""
        settings = codec.encode(alert.settings).decode()
        return await self._write(await self._attempt(Due(row, alert.account, settings, alert.secret), row))

    async def _again(self, one: Due, claimed: DeliveryRow) -> None:
        row = await self._attempt(one, claimed)
        if row.delivered_at is None and row.attempts <= len(WAITS):
            row = msgspec.structs.replace(row, due_at=instants.now() + WAITS[row.attempts - 1] * 1000)
        await self._write(row)

    async def _attempt(self, one: Due, row: DeliveryRow) -> DeliveryRow:
        status, error = None, None
        try:
            status = await self._call(one)
            error = None if status in _GOOD else f"the answer has status {status}"
        except TimeoutError:
            error = "it took too long"
        except (PenstockError, NotOpened, ValueError) as failure:
            error = str(failure) or type(failure).__doc__ or ""
        self._telemetry.alert_webhooks.add(("delivered" if error is None else "failed",))
        at = instants.now() if error is None else None
        return msgspec.structs.replace(row, due_at=None, status=status, error=error, delivered_at=at)

    async def _call(self, one: Due) -> int:
        """Raises TimeoutError, PenstockError, NotOpened, ValueError."""
        row, body = one.row, one.row.body.encode()
        key = key_of(self._vault.open(one.secret, *place(one.account, row.alert)))
        hook = placed(_settings(one.settings)["url"], self._rules)
        return await call(self._transport, hook, body, signed(key, row.id, instants.now() // 1000, body))

    async def _write(self, row: DeliveryRow) -> DeliveryRow:
        async with self._database.writing() as connection:
            await alert_deliveries.change(connection, row)
        return row
