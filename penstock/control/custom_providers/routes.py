"""Addresses of custom providers."""

from typing import Annotated

from fastapi import Query, Response

from penstock.control.custom_providers import service
from penstock.control.custom_providers.schema import CustomCreate, CustomPaging, CustomProvider, CustomUpdate
from penstock.control.envelope import Many, One
from penstock.control.rest import InContext, listed, needs, ok, refusals, resource
from penstock.model.token import Scope

router = resource("/ai-gateway/custom-providers", "Custom providers")


@router.get("", response_model=Many[CustomProvider])
@needs(Scope.READ)
async def list_custom_providers(context: InContext, asked: Annotated[CustomPaging, Query()]) -> Response:
    """List the account's own providers."""
    return listed(await service.page(context, asked), asked)


@router.post("", response_model=One[CustomProvider], responses=refusals(409, 413))
@needs(Scope.WRITE)
async def create_custom_provider(context: InContext, body: CustomCreate) -> Response:
    """Create a provider of the account's own; it can be called once `enable` is true."""
    return ok(await service.create(context, body))


@router.get("/{provider_id}", response_model=One[CustomProvider])
@needs(Scope.READ)
async def get_custom_provider(context: InContext, provider_id: str) -> Response:
    """Show one; header values are masked."""
    return ok(await service.get(context, provider_id))


@router.patch("/{provider_id}", response_model=One[CustomProvider], responses=refusals(409, 413))
@needs(Scope.WRITE)
async def update_custom_provider(context: InContext, provider_id: str, body: CustomUpdate) -> Response:
    """Change a provider; what is left out stays as it is."""
    return ok(await service.update(context, provider_id, body))


@router.delete("/{provider_id}", response_model=One[CustomProvider])
@needs(Scope.WRITE)
async def delete_custom_provider(context: InContext, provider_id: str) -> Response:
    """Delete a provider; answers what it was."""
    return ok(await service.delete(context, provider_id))
