"""The address of a gateway's provider, as ``env.AI.gateway(id).getUrl(provider)`` has it."""

from fastapi import APIRouter, Request, Response

from penstock.control.rest import REFUSALS, Envelope, Guarded, Shared, needs, ok
from penstock.core.errors import NotFound
from penstock.model.token import Scope
from penstock.providers import catalog
from penstock.providers.custom import PREFIX
from penstock.storage import custom_providers, gateways

router = APIRouter(
    prefix="/client/v4/accounts/{account_id}/ai-gateway/gateways/{gateway_id}/url",
    route_class=Guarded,
    tags=["Gateways"],
    responses=REFUSALS,
)


class UrlAnswer(Envelope):
    """An address."""

    result: str


@router.get("/{provider}", operation_id="get_gateway_url", response_model=UrlAnswer)
@needs(Scope.READ)
async def get_gateway_url(
    account_id: str, gateway_id: str, provider: str, request: Request, control: Shared
) -> Response:
    """Tell the base address of a provider's calls, by any of its names."""
    async with control.database.reading() as connection:
        if await gateways.get(connection, account_id, gateway_id) is None:
            raise NotFound
        known = provider in catalog.load()
        if provider.startswith(PREFIX):
            own = await custom_providers.of(connection, account_id)
            known = any(provider == PREFIX + row.slug for row in own)
    if not known:
        raise NotFound("Not found: there is no such provider.")
    base = control.public_url or str(request.base_url)
    return ok(f"{base.rstrip('/')}/v1/{account_id}/{gateway_id}/{provider}")
