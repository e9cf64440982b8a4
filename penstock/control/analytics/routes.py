"""Addresses of analytics."""

from typing import Annotated

from fastapi import Query, Response

from penstock.control.analytics import service
from penstock.control.analytics.schema import Analytics, AnalyticsQuery
from penstock.control.context import Context
from penstock.control.envelope import One
from penstock.control.rest import InContext, needs, ok, resource
from penstock.model.token import Scope

router = resource("/ai-gateway", "Analytics")


@router.get("/analytics", response_model=One[Analytics])
@needs(Scope.READ, Scope.METADATA)
async def get_account_analytics(context: InContext, asked: Annotated[AnalyticsQuery, Query()]) -> Response:
    """What the calls of all gateways come to, in time and by groups."""
    return await _told(context, asked)


@router.get("/gateways/{gateway_id}/analytics", response_model=One[Analytics])
@needs(Scope.READ, Scope.METADATA)
async def get_analytics(context: InContext, gateway_id: str, asked: Annotated[AnalyticsQuery, Query()]) -> Response:
    """What the calls of a gateway come to, in time and by groups."""
    return await _told(context, asked, gateway_id)


async def _told(context: Context, asked: AnalyticsQuery, gateway_id: str | None = None) -> Response:
    result = await service.analytics(context, asked, gateway_id)
    return ok(result, messages=await service.messages(context, asked, gateway_id))
