"""Addresses of top-ups. Those below ``topups`` are an addition of Penstock."""

from fastapi import Response

from penstock.control.envelope import Many, One
from penstock.control.rest import InContext, Pages, listed, needs, ok, refusals, resource
from penstock.control.topups import service
from penstock.control.topups.schema import (
    ConfigCreate,
    MadeTopup,
    Nothing,
    SetConfig,
    Topup,
    TopupConfig,
    TopupCreate,
    TopupStatus,
    TopupStatusAsked,
)
from penstock.model.token import Scope

router = resource("/ai-gateway/billing", "Top-ups")


@router.post("/topup", response_model=One[MadeTopup], responses=refusals(402, 409, 413))
@needs(Scope.WRITE)
async def create_topup(context: InContext, body: TopupCreate) -> Response:
    """Begin a top-up of the account's credit."""
    made, waits = await service.create(context, body)
    return ok(made, messages=_said(waits))


@router.post("/topup/status", response_model=One[TopupStatus], responses=refusals(409, 413))
@needs(Scope.READ)
async def get_topup_status(context: InContext, body: TopupStatusAsked) -> Response:
    """Tell whether a top-up is paid; 409 for one that will not be."""
    standing, reason = await service.status(context, body.payment_intent_id)
    return ok(standing, messages=_said(reason))


@router.post("/topup/config", response_model=One[SetConfig], responses=refusals(409, 413))
@needs(Scope.WRITE)
async def create_topup_config(context: InContext, body: ConfigCreate) -> Response:
    """Top credit up automatically whenever it falls below a threshold."""
    return ok(await service.set_config(context, body))


@router.get("/topup/config", response_model=One[TopupConfig])
@needs(Scope.READ)
async def get_topup_config(context: InContext) -> Response:
    """Show the automatic top-up, and what came of the last try."""
    return ok(await service.get_config(context))


@router.delete("/topup/config", response_model=One[Nothing])
@needs(Scope.WRITE)
async def delete_topup_config(context: InContext) -> Response:
    """Top credit up automatically no more."""
    await service.delete_config(context)
    return ok({})


@router.get("/topups", response_model=Many[Topup])
@needs(Scope.READ)
async def list_topups(context: InContext, asked: Pages) -> Response:
    """List the account's top-ups, newest first."""
    return listed(await service.page(context, asked), asked)


@router.post("/topups/{topup_id}/paid", response_model=One[Topup], responses=refusals(409))
@needs(Scope.BILLING)
async def mark_topup_paid(context: InContext, topup_id: str) -> Response:
    """Say that a top-up of the manual method was paid: the account gets the credit, once."""
    return ok(await service.paid(context, topup_id))


@router.post("/topups/{topup_id}/cancel", response_model=One[Topup], responses=refusals(409))
@needs(Scope.WRITE)
async def cancel_topup(context: InContext, topup_id: str) -> Response:
    """Cancel a top-up that waits."""
    return ok(await service.cancel(context, topup_id))


def _said(sentence: str) -> list[dict[str, object]]:
    return [{"code": 7010, "message": sentence}] if sentence else []
