"""Addresses of an account's money."""

from typing import Annotated

from fastapi import Query, Response

from penstock.control.billing import service
from penstock.control.billing.schema import CreditBalance, UsageHistory, UsageQuery
from penstock.control.envelope import One
from penstock.control.rest import InContext, needs, ok, resource
from penstock.model.token import Scope

router = resource("/ai-gateway/billing", "Billing")


@router.get("/credit-balance", response_model=One[CreditBalance])
@needs(Scope.READ)
async def get_credit_balance(context: InContext) -> Response:
    """Tell what credit the account has left, and how it is topped up."""
    return ok(await service.credit_balance(context))


@router.get("/usage-history", response_model=One[UsageHistory])
@needs(Scope.READ)
async def get_usage_history(context: InContext, asked: Annotated[UsageQuery, Query()]) -> Response:
    """Tell what calls were charged, by hour or by day."""
    return ok(await service.usage_history(context, asked))
