"""The audit trail as a resource: read alone, because what happened happened."""

from typing import Any

from fastapi import Response
from pydantic import BaseModel

from penstock.control.context import refuse_limited
from penstock.control.envelope import Many
from penstock.control.rest import InContext, Pages, listed, needs, resource
from penstock.model.token import Scope
from penstock.storage import audit

router = resource("/ai-gateway/audit-logs", "Audit")


class Change(BaseModel):
    """One change: who, what, before and after. No secret is in it."""

    id: str
    created_at: str
    account: str
    actor: str
    actor_name: str
    action: str
    subject: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


@router.get("", response_model=Many[Change])
@needs(Scope.READ)
async def list_audit_logs(context: InContext, asked: Pages) -> Response:
    """List what was changed in the account, newest first."""
    refuse_limited(context, "read the audit trail")
    async with context.control.database.reading() as connection:
        rows, total = await audit.page(connection, context.account, asked.per_page, asked.offset)
    return listed(([audit.shown(row) for row in rows], total), asked)
