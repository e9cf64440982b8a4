"""Addresses of cached answers."""

from fastapi import APIRouter, Response

from penstock.control.cache import service
from penstock.control.cache.schema import Purge, PurgedAnswer
from penstock.control.rest import REFUSALS, Caller, Guarded, Shared, needs, ok, refusals
from penstock.model.token import Scope

router = APIRouter(
    prefix="/client/v4/accounts/{account_id}/ai-gateway/gateways/{gateway_id}/purge_cache",
    route_class=Guarded,
    tags=["Cache"],
    responses=REFUSALS,
)


@router.post("", operation_id="purge_cache", response_model=PurgedAnswer, responses=refusals(413))
@needs(Scope.WRITE)
async def purge_cache(account_id: str, gateway_id: str, body: Purge, caller: Caller, control: Shared) -> Response:
    """Drop cached answers of a gateway: all, the one under a client's own key, or old ones."""
    return ok({"purged": await service.purge(control, caller, account_id, gateway_id, body)})
