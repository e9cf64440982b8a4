"""The rules of the audit trail: it is read alone, because what happened happened."""

from typing import Any

from penstock.control.audit.schema import AuditQuery
from penstock.control.context import Context, refuse_limited
from penstock.storage import audit


async def page(context: Context, asked: AuditQuery) -> tuple[list[dict[str, Any]], int]:
    """Newest first, and how many there are in all. Raises NotPermitted."""
    refuse_limited(context, "read the audit trail")
    wanted = {"subject": asked.subject, "action": asked.action, "actor": asked.actor}
    async with context.control.database.reading() as connection:
        rows, total = await audit.page(connection, context.account, asked.per_page, asked.offset, **wanted)
    return [audit.shown(row) for row in rows], total
