"""Addresses of stored keys. Reading one, changing and deleting it are Penstock's own; SDKs list and create."""

from fastapi import APIRouter, Response

from penstock.control.provider_configs import service
from penstock.control.provider_configs.schema import (
    ProviderConfigAnswer,
    ProviderConfigCreate,
    ProviderConfigsAnswer,
    ProviderConfigUpdate,
)
from penstock.control.rest import REFUSALS, Caller, Guarded, Pages, Shared, info, needs, ok, refusals
from penstock.model.token import Scope

router = APIRouter(
    prefix="/client/v4/accounts/{account_id}/ai-gateway/gateways/{gateway_id}/provider_configs",
    route_class=Guarded,
    tags=["Provider Configs"],
    responses=REFUSALS,
)


@router.get("", operation_id="list_provider_configs", response_model=ProviderConfigsAnswer)
@needs(Scope.READ)
async def list_provider_configs(account_id: str, gateway_id: str, paging: Pages, control: Shared) -> Response:
    """List a gateway's stored keys, oldest first, without their secrets."""
    found, total = await service.page(control, account_id, gateway_id, paging.per_page, paging.offset)
    return ok(found, info=info(paging.page, paging.per_page, len(found), total))


@router.post(
    "", operation_id="create_provider_config", response_model=ProviderConfigAnswer, responses=refusals(409, 413)
)
@needs(Scope.WRITE)
async def create_provider_config(
    account_id: str, gateway_id: str, body: ProviderConfigCreate, caller: Caller, control: Shared
) -> Response:
    """Store a key; its secret is never answered again."""
    made = await service.create(control, caller, account_id, gateway_id, body)
    return ok(made, messages=service.messages(made, body.secret))


@router.get("/{config_id}", operation_id="get_provider_config", response_model=ProviderConfigAnswer)
@needs(Scope.READ)
async def get_provider_config(account_id: str, gateway_id: str, config_id: str, control: Shared) -> Response:
    """Show one stored key, without its secret."""
    return ok(await service.get(control, account_id, gateway_id, config_id))


@router.put(
    "/{config_id}",
    operation_id="update_provider_config",
    response_model=ProviderConfigAnswer,
    responses=refusals(409, 413),
)
@needs(Scope.WRITE)
async def update_provider_config(
    account_id: str, gateway_id: str, config_id: str, body: ProviderConfigUpdate, caller: Caller, control: Shared
) -> Response:
    """Change a stored key: what is left out stays as it is, the secret above all."""
    return ok(await service.update(control, caller, account_id, gateway_id, config_id, body))


@router.delete("/{config_id}", operation_id="delete_provider_config", response_model=ProviderConfigAnswer)
@needs(Scope.WRITE)
async def delete_provider_config(
    account_id: str, gateway_id: str, config_id: str, caller: Caller, control: Shared
) -> Response:
    """Delete a stored key; answers what it was."""
    return ok(await service.delete(control, caller, account_id, gateway_id, config_id))
