"""The audit trail as a resource: read alone, because what happened happened."""

from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel

from penstock.control import rest
from penstock.control.rest import REFUSALS, Caller, Envelope, Guarded, Pages, ResultInfo, Shared, needs
from penstock.core.errors import NotPermitted
from penstock.model.token import Scope
from penstock.storage import audit

router = APIRouter(
    prefix="/client/v4/accounts/{account_id}/ai-gateway/audit-logs",
    route_class=Guarded,
    tags=["Audit"],
    responses=REFUSALS,
)


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


class Changes(Envelope):
    """A page of changes."""

    result: list[Change]
    result_info: ResultInfo


@router.get("", operation_id="list_audit_logs", response_model=Changes)
@needs(Scope.READ)
async def list_audit_logs(account_id: str, paging: Pages, caller: Caller, control: Shared) -> Response:
    """List what was changed in the account, newest first."""
    if caller.gateways is not None:
        raise NotPermitted("Authentication error: a token that is limited to gateways cannot read the audit trail.")
    async with control.database.reading() as connection:
        rows, total = await audit.page(connection, account_id, paging.per_page, paging.offset)
    return rest.ok([audit.shown(row) for row in rows], info=rest.info(paging.page, paging.per_page, len(rows), total))
