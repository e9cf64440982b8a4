"""The rules of alerts."""

import secrets as randomness
from typing import Any

import msgspec

from penstock.control.alerts import secret as secrets
from penstock.control.alerts.deliver import LEASE
from penstock.control.alerts.kinds import KINDS
from penstock.control.alerts.messages import TEST, message
from penstock.control.alerts.messages import told as known
from penstock.control.alerts.schema import CALLS, AlertCreate, AlertUpdate, audited, delivery, told
from penstock.control.context import Context, changing, found, refuse_limited
from penstock.control.envelope import Paging
from penstock.core import instants
from penstock.core.errors import Conflict, Invalid
from penstock.core.sealing import NotOpened
from penstock.features.webhooks import placed
from penstock.storage import alert_deliveries, alerts, gateways
from penstock.storage.alerts import AlertRow

MOST = 100  # alerts of an account


async def page(context: Context, asked: Paging) -> tuple[list[dict[str, Any]], int]:
    """The account's alerts, oldest first, and how many there are in all. Raises NotPermitted; so do all below."""
    _manages(context)
    async with context.control.database.reading() as connection:
        rows, total = await alerts.page(connection, context.account, asked.per_page, asked.offset)
        firing = await alerts.firing(connection, [row.id for row in rows])
    return [told(row, firing) for row in rows], total


async def get(context: Context, alert_id: str) -> dict[str, Any]:
    """Raises NotFound."""
    _manages(context)
    async with context.control.database.reading() as connection:
        row = found(await alerts.get(connection, context.account, alert_id))
        return told(row, await alerts.firing(connection, [row.id]))


async def deliveries(context: Context, alert_id: str, asked: Paging) -> tuple[list[dict[str, Any]], int]:
    """An alert's webhooks, newest first, and how many there are in all. Raises NotFound."""
    _manages(context)
    async with context.control.database.reading() as connection:
        row = found(await alerts.get(connection, context.account, alert_id))
        rows, total = await alert_deliveries.page(connection, row.id, asked.per_page, asked.offset)
    return [delivery(row) for row in rows], total


async def create(context: Context, body: AlertCreate) -> dict[str, Any]:
    """With the secret. Raises NotFound for the gateway, Invalid, Conflict."""
    _manages(context)
    control, account = context.control, context.account
    alert_id, secret, now = randomness.token_hex(16), body.secret or secrets.new(), instants.now()
    settings = {"threshold": None, "minimum_calls": None, "window_seconds": body.window_seconds} | body.sent
    if KINDS[body.kind].counts and settings["minimum_calls"] is None:
        settings["minimum_calls"] = CALLS
    sealed = secrets.sealed(control.vault, account, alert_id, secret)
    due = now if body.enabled else None
    row = AlertRow(alert_id, account, None, body.gateway_id, body.kind, settings, sealed, due, now, now)
    _check(context, row)
    async with changing(context) as change:
        if body.gateway_id is not None:
            gateway = found(await gateways.get(change.connection, account, body.gateway_id))
            row = msgspec.structs.replace(row, gateway=gateway.number)
        if await alerts.count(change.connection, account) >= MOST:
            raise Conflict(f"The account has {MOST} alerts; delete one first.")
        await alerts.add(change.connection, row)
        await change.record("alert.create", row.id, None, audited(row))
    return told(row, {}) | {"secret": secret}


async def update(context: Context, alert_id: str, body: AlertUpdate) -> dict[str, Any]:
    """What changes nothing leaves no trace. One that is disabled forgets what it has told, and tells nothing more.

    Raises NotFound, Invalid.
    """
    _manages(context)
    now = instants.now()
    async with changing(context) as change:
        connection = change.connection
        old = found(await alerts.get(connection, context.account, alert_id))
        row = msgspec.structs.replace(old, settings=old.settings | body.sent)
        if KINDS[row.kind].counts and row.settings["minimum_calls"] is None:
            row.settings["minimum_calls"] = CALLS
        if "enabled" in body.model_fields_set and body.enabled is (old.due_at is None):
            row = msgspec.structs.replace(row, due_at=now if body.enabled else None)
        if "secret" in body.model_fields_set and not _is_secret(context, old, body.secret):
            row = msgspec.structs.replace(
                row, secret=secrets.sealed(context.control.vault, row.account, row.id, body.secret)
            )
        _check(context, row)
        if row != old:
            row = msgspec.structs.replace(row, modified_at=max(now, old.modified_at + 1))
            await alerts.change(connection, row)
            await change.record("alert.update", row.id, audited(old), audited(row, old))
        if row.due_at is None:
            await alerts.forget(connection, row.id)
            await alert_deliveries.drop(connection, row.id, "the alert was disabled")
        firing = await alerts.firing(connection, [row.id])
    return told(row, firing)


async def delete(context: Context, alert_id: str) -> dict[str, Any]:
    """What it has told goes with it. Answers what it was. Raises NotFound."""
    _manages(context)
    async with changing(context) as change:
        row = found(await alerts.get(change.connection, context.account, alert_id))
        firing = await alerts.firing(change.connection, [row.id])
        await alerts.delete(change.connection, context.account, row.id)
        await change.record("alert.delete", row.id, audited(row), None)
    return told(row, firing)


async def test(context: Context, alert_id: str) -> dict[str, Any]:
    """Calls the webhook once, and answers what came of it. Raises NotFound."""
    _manages(context)
    sender, now = context.control.sender, instants.now()
    assert sender is not None
    async with changing(context) as change:
        row = found(await alerts.get(change.connection, context.account, alert_id))
        made = message(row, TEST, "", known(row, {"gateway_id": row.gateway_id}, None), now, None)
        made = msgspec.structs.replace(made, due_at=now + LEASE, attempts=1)  # nobody else makes the attempt
        await alert_deliveries.add(change.connection, made)
    return delivery(await sender.once(row, made))


def _check(context: Context, row: AlertRow) -> None:
    """Raises Invalid for what does not go together, or would never be called."""
    kind, settings = KINDS[row.kind], row.settings
    threshold, calls = settings["threshold"], settings["minimum_calls"]
    if kind.threshold is None and threshold is not None:
        raise Invalid(f"threshold: {row.kind} has none", path=("body", "threshold"))
    if kind.threshold is not None:
        least, most = kind.threshold
        if threshold is None or not least <= threshold <= most:
            raise Invalid(f"threshold: of {row.kind} must be {least:g} to {most:g}", path=("body", "threshold"))
    if calls is not None and not kind.counts:
        raise Invalid(f"minimum_calls: {row.kind} counts no calls", path=("body", "minimum_calls"))
    try:
        placed(settings["url"], context.control.rules)
    except ValueError as error:
        raise Invalid(f"url: {str(error).removesuffix('.')}", path=("body", "url")) from None


def _is_secret(context: Context, row: AlertRow, secret: str) -> bool:
    """Whether that is the stored one already."""
    try:
        return context.control.vault.open(row.secret, *secrets.place(row.account, row.id)) == secret
    except NotOpened:  # of another master key: the one that came takes its place
        return False


def _manages(context: Context) -> None:
    """Raises NotPermitted."""
    refuse_limited(context, "manage alerts")
