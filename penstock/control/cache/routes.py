"""Addresses of cached answers."""

from fastapi import Response

from penstock.control.cache import service
from penstock.control.cache.schema import Purge, Purged
from penstock.control.envelope import One
from penstock.control.rest import InContext, needs, ok, refusals, resource
from penstock.model.token import Scope

router = resource("/ai-gateway/gateways/{gateway_id}/purge_cache", "Cache")


@router.post("", response_model=One[Purged], responses=refusals(413))
@needs(Scope.WRITE)
async def purge_cache(context: InContext, gateway_id: str, body: Purge) -> Response:
    """Drop cached answers of a gateway: all, the one under a client's own key, or old ones."""
    return ok({"purged": await service.purge(context, gateway_id, body)})
