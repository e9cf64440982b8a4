"""Addresses of custom providers."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from penstock.control.custom_providers import service
from penstock.control.custom_providers.schema import (
    CustomAnswer,
    CustomCreate,
    CustomPaging,
    CustomsAnswer,
    CustomUpdate,
)
from penstock.control.rest import REFUSALS, Caller, Guarded, Shared, info, needs, ok, refusals
from penstock.model.token import Scope

router = APIRouter(
    prefix="/client/v4/accounts/{account_id}/ai-gateway/custom-providers",
    route_class=Guarded,
    tags=["Custom providers"],
    responses=REFUSALS,
)


@router.get("", operation_id="list_custom_providers", response_model=CustomsAnswer)
@needs(Scope.READ)
async def list_custom_providers(
    account_id: str, asked: Annotated[CustomPaging, Query()], caller: Caller, control: Shared
) -> Response:
    """List the account's own providers."""
    found, total = await service.page(control, caller, account_id, asked)
    return ok(found, info=info(asked.page, asked.per_page, len(found), total))


@router.post("", operation_id="create_custom_provider", response_model=CustomAnswer, responses=refusals(409, 413))
@needs(Scope.WRITE)
async def create_custom_provider(account_id: str, body: CustomCreate, caller: Caller, control: Shared) -> Response:
    """Create a provider of the account's own; it can be called once `enable` is true."""
    return ok(await service.create(control, caller, account_id, body))


@router.get("/{provider_id}", operation_id="get_custom_provider", response_model=CustomAnswer)
@needs(Scope.READ)
async def get_custom_provider(account_id: str, provider_id: str, caller: Caller, control: Shared) -> Response:
    """Show one; header values are masked."""
    return ok(await service.get(control, caller, account_id, provider_id))


@router.patch(
    "/{provider_id}", operation_id="update_custom_provider", response_model=CustomAnswer, responses=refusals(409, 413)
)
@needs(Scope.WRITE)
async def update_custom_provider(
    account_id: str, provider_id: str, body: CustomUpdate, caller: Caller, control: Shared
) -> Response:
    """Change a provider; what is left out stays as it is."""
    return ok(await service.update(control, caller, account_id, provider_id, body))


@router.delete("/{provider_id}", operation_id="delete_custom_provider", response_model=CustomAnswer)
@needs(Scope.WRITE)
async def delete_custom_provider(account_id: str, provider_id: str, caller: Caller, control: Shared) -> Response:
    """Delete a provider; answers what it was."""
    return ok(await service.delete(control, caller, account_id, provider_id))
