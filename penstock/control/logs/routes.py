"""Addresses of logs."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from penstock.control.logs import service
from penstock.control.logs.schema import LogAnswer, LogQuery, LogsAnswer, refuse_later
from penstock.control.rest import REFUSALS, Caller, Guarded, Shared, needs, ok
from penstock.model.token import Scope

_BODY: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/json": {}, "*/*": {}}, "description": "The body, without an envelope."}
}
# Bodies come from anywhere: no browser may take one for a page of ours.
_HARMLESS = {"x-content-type-options": "nosniff", "content-security-policy": "default-src 'none'; sandbox"}

router = APIRouter(
    prefix="/client/v4/accounts/{account_id}/ai-gateway/gateways/{gateway_id}/logs",
    route_class=Guarded,
    tags=["Logs"],
    responses=REFUSALS,
)


def _known(request: Request) -> None:
    refuse_later(request.query_params.multi_items())


Accept = Annotated[str, Header(description="text/event-stream: a streamed answer as it came, not as JSON.")]


@router.get("", operation_id="list_logs", response_model=LogsAnswer, dependencies=[Depends(_known)])
@needs(Scope.READ, Scope.METADATA)
async def list_logs(account_id: str, gateway_id: str, asked: Annotated[LogQuery, Query()], control: Shared) -> Response:
    """List the calls of a gateway, newest first."""
    rows, info = await service.page(control, account_id, gateway_id, asked)
    return ok(rows, info=info)


@router.get("/{log_id}", operation_id="get_log", response_model=LogAnswer)
@needs(Scope.READ, Scope.METADATA)
async def get_log(account_id: str, gateway_id: str, log_id: str, caller: Caller, control: Shared) -> Response:
    """Show one call; with the beginnings of its bodies for who may read bodies."""
    return ok(await service.get(control, caller, account_id, gateway_id, log_id))


@router.get("/{log_id}/request", operation_id="get_log_request", response_class=Response, responses=_BODY)
@needs(Scope.READ)
async def get_log_request(account_id: str, gateway_id: str, log_id: str, control: Shared) -> Response:
    """The body of the request as it was stored, without an envelope."""
    found = await service.body(control, account_id, gateway_id, log_id, "request", raw=True)
    return Response(found.content, headers={"content-type": found.kind, **_HARMLESS})


@router.get("/{log_id}/response", operation_id="get_log_response", response_class=Response, responses=_BODY)
@needs(Scope.READ)
async def get_log_response(
    account_id: str, gateway_id: str, log_id: str, control: Shared, accept: Accept = ""
) -> Response:
    """The body of the answer as it was stored, without an envelope; a streamed one as JSON with its chunks."""
    raw = service.EVENTS in accept.lower()
    found = await service.body(control, account_id, gateway_id, log_id, "response", raw=raw)
    return Response(found.content, headers={"content-type": found.kind, **_HARMLESS})
