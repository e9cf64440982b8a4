"""The address of the audit trail."""

from typing import Annotated

from fastapi import Query, Response

from penstock.control.audit import service
from penstock.control.audit.schema import AuditQuery, Change
from penstock.control.envelope import Many
from penstock.control.rest import InContext, listed, needs, resource
from penstock.model.token import Scope

router = resource("/ai-gateway/audit-logs", "Audit")


@router.get("", response_model=Many[Change])
@needs(Scope.READ)
async def list_audit_logs(context: InContext, asked: Annotated[AuditQuery, Query()]) -> Response:
    """List what was changed in the account, newest first."""
    return listed(await service.page(context, asked), asked)
