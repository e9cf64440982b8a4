"""The address of a gateway's provider, as ``env.AI.gateway(id).getUrl(provider)`` has it."""

from fastapi import Request, Response

from penstock.control.context import found
from penstock.control.envelope import One
from penstock.control.rest import InContext, needs, ok, resource
from penstock.core.errors import NotFound
from penstock.model.token import Scope
from penstock.providers import catalog
from penstock.providers.custom import PREFIX
from penstock.storage import custom_providers, gateways

router = resource("/ai-gateway/gateways/{gateway_id}/url", "Gateways")


@router.get("/{provider}", response_model=One[str])
@needs(Scope.READ)
async def get_gateway_url(context: InContext, gateway_id: str, provider: str, request: Request) -> Response:
    """Tell the base address of a provider's calls, by any of its names."""
    control, account, _ = context
    async with control.database.reading() as connection:
        found(await gateways.get(connection, account, gateway_id))
        known = provider in catalog.load()
        if provider.startswith(PREFIX):
            own = await custom_providers.of(connection, account)
            known = any(provider == PREFIX + row.slug for row in own)
    if not known:
        raise NotFound("Not found: there is no such provider.")
    base = control.public_url or str(request.base_url)
    return ok(f"{base.rstrip('/')}/v1/{account}/{gateway_id}/{provider}")
