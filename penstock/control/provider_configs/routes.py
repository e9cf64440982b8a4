"""Addresses of stored keys. Reading one, changing and deleting it are Penstock's own; SDKs list and create."""

from fastapi import Response

from penstock.control.envelope import Many, One
from penstock.control.provider_configs import service
from penstock.control.provider_configs.schema import ProviderConfig, ProviderConfigCreate, ProviderConfigUpdate
from penstock.control.rest import InContext, Pages, listed, needs, ok, refusals, resource
from penstock.model.token import Scope

router = resource("/ai-gateway/gateways/{gateway_id}/provider_configs", "Provider Configs")


@router.get("", response_model=Many[ProviderConfig])
@needs(Scope.READ)
async def list_provider_configs(context: InContext, gateway_id: str, asked: Pages) -> Response:
    """List a gateway's stored keys, oldest first, without their secrets."""
    return listed(await service.page(context, gateway_id, asked), asked)


@router.post("", response_model=One[ProviderConfig], responses=refusals(409, 413))
@needs(Scope.WRITE)
async def create_provider_config(context: InContext, gateway_id: str, body: ProviderConfigCreate) -> Response:
    """Store a key; its secret is never answered again."""
    made = await service.create(context, gateway_id, body)
    return ok(made, messages=service.messages(made, body.secret))


@router.get("/{config_id}", response_model=One[ProviderConfig])
@needs(Scope.READ)
async def get_provider_config(context: InContext, gateway_id: str, config_id: str) -> Response:
    """Show one stored key, without its secret."""
    return ok(await service.get(context, gateway_id, config_id))


@router.put("/{config_id}", response_model=One[ProviderConfig], responses=refusals(409, 413))
@needs(Scope.WRITE)
async def update_provider_config(
    context: InContext, gateway_id: str, config_id: str, body: ProviderConfigUpdate
) -> Response:
    """Change a stored key: what is left out stays as it is, the secret above all."""
    return ok(await service.update(context, gateway_id, config_id, body))


@router.delete("/{config_id}", response_model=One[ProviderConfig])
@needs(Scope.WRITE)
async def delete_provider_config(context: InContext, gateway_id: str, config_id: str) -> Response:
    """Delete a stored key; answers what it was."""
    return ok(await service.delete(context, gateway_id, config_id))
