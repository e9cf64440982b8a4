"""Addresses of gateways."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from penstock.control.gateways import service
from penstock.control.gateways.compile_settings import messages
from penstock.control.gateways.schema import (
    GatewayAnswer,
    GatewayCreate,
    GatewayPaging,
    GatewaysAnswer,
    GatewayUpdate,
)
from penstock.control.rest import REFUSALS, Caller, Guarded, Shared, info, needs, ok, refusals
from penstock.model.token import Scope

router = APIRouter(
    prefix="/client/v4/accounts/{account_id}/ai-gateway/gateways",
    route_class=Guarded,
    tags=["Gateways"],
    responses=REFUSALS,
)


@router.get("", operation_id="list_gateways", response_model=GatewaysAnswer)
@needs(Scope.READ)
async def list_gateways(
    account_id: str, asked: Annotated[GatewayPaging, Query()], caller: Caller, control: Shared
) -> Response:
    """List gateways, oldest first."""
    found, total = await service.page(control, caller, account_id, asked)
    return ok(found, info=info(asked.page, asked.per_page, len(found), total))


@router.post("", operation_id="create_gateway", response_model=GatewayAnswer, responses=refusals(409, 413))
@needs(Scope.WRITE)
async def create_gateway(account_id: str, body: GatewayCreate, caller: Caller, control: Shared) -> Response:
    """Create a gateway."""
    made = await service.create(control, caller, account_id, body)
    return ok(made, messages=messages(body.sent))


@router.get("/{gateway_id}", operation_id="get_gateway", response_model=GatewayAnswer)
@needs(Scope.READ)
async def get_gateway(account_id: str, gateway_id: str, control: Shared) -> Response:
    """Show one gateway; secrets are masked."""
    return ok(await service.get(control, account_id, gateway_id))


@router.put("/{gateway_id}", operation_id="update_gateway", response_model=GatewayAnswer, responses=refusals(413))
@needs(Scope.WRITE)
async def update_gateway(
    account_id: str, gateway_id: str, body: GatewayUpdate, caller: Caller, control: Shared
) -> Response:
    """Change a gateway: what is left out stays as it is, null clears, and what was read can be sent back."""
    changed = await service.update(control, caller, account_id, gateway_id, body)
    return ok(changed, messages=messages(body.sent))


@router.delete("/{gateway_id}", operation_id="delete_gateway", response_model=GatewayAnswer)
@needs(Scope.WRITE)
async def delete_gateway(account_id: str, gateway_id: str, caller: Caller, control: Shared) -> Response:
    """Delete a gateway and all it owns; answers what it was."""
    gone, warnings = await service.delete(control, caller, account_id, gateway_id)
    return ok(gone, messages=warnings)
