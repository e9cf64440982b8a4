"""Addresses of gateways."""

from typing import Annotated

from fastapi import Query, Response

from penstock.control.envelope import Many, One
from penstock.control.gateways import service
from penstock.control.gateways.compile_settings import messages
from penstock.control.gateways.schema import Gateway, GatewayCreate, GatewayPaging, GatewayUpdate
from penstock.control.rest import InContext, listed, needs, ok, refusals, resource
from penstock.model.token import Scope

router = resource("/ai-gateway/gateways", "Gateways")


@router.get("", response_model=Many[Gateway])
@needs(Scope.READ)
async def list_gateways(context: InContext, asked: Annotated[GatewayPaging, Query()]) -> Response:
    """List gateways, oldest first."""
    return listed(await service.page(context, asked), asked)


@router.post("", response_model=One[Gateway], responses=refusals(409, 413))
@needs(Scope.WRITE)
async def create_gateway(context: InContext, body: GatewayCreate) -> Response:
    """Create a gateway."""
    return ok(await service.create(context, body), messages=messages(body.sent))


@router.get("/{gateway_id}", response_model=One[Gateway])
@needs(Scope.READ)
async def get_gateway(context: InContext, gateway_id: str) -> Response:
    """Show one gateway; secrets are masked."""
    return ok(await service.get(context, gateway_id))


@router.put("/{gateway_id}", response_model=One[Gateway], responses=refusals(413))
@needs(Scope.WRITE)
async def update_gateway(context: InContext, gateway_id: str, body: GatewayUpdate) -> Response:
    """Change a gateway: what is left out stays as it is, null clears, and what was read can be sent back."""
    return ok(await service.update(context, gateway_id, body), messages=messages(body.sent))


@router.delete("/{gateway_id}", response_model=One[Gateway])
@needs(Scope.WRITE)
async def delete_gateway(context: InContext, gateway_id: str) -> Response:
    """Delete a gateway and all it owns; answers what it was."""
    gone, warnings = await service.delete(context, gateway_id)
    return ok(gone, messages=warnings)
