"""Addresses of logs."""

from typing import Annotated, Any

from fastapi import Header, Query, Request, Response

from penstock.control.envelope import One
from penstock.control.logs import filters, service
from penstock.control.logs.schema import LogDelete, LogDetail, LogEdit, LogQuery, LogsAnswer, LogsDeleted, Nothing
from penstock.control.rest import InContext, needs, ok, refusals, resource
from penstock.core.errors import Invalid
from penstock.model.token import Scope

_BODY: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/json": {}, "*/*": {}}, "description": "The body, without an envelope."}
}
# Bodies come from anywhere: no browser may take one for a page of ours.
HARMLESS = {"x-content-type-options": "nosniff", "content-security-policy": "default-src 'none'; sandbox"}

router = resource("/ai-gateway/gateways/{gateway_id}/logs", "Logs")


Accept = Annotated[str, Header(description="text/event-stream: a streamed answer as it came, not as JSON.")]


@router.get("", response_model=LogsAnswer)
@needs(Scope.READ, Scope.METADATA)
async def list_logs(
    context: InContext, gateway_id: str, asked: Annotated[LogQuery, Query()], request: Request
) -> Response:
    """List the calls of a gateway, newest first."""
    tests = filters.tests(request.query_params.multi_items())
    rows, info, messages = await service.page(context, gateway_id, asked, tests)
    return ok(rows, info=info, messages=messages)


@router.delete("", response_model=LogsDeleted)
@needs(Scope.WRITE)
async def delete_logs(
    context: InContext, gateway_id: str, asked: Annotated[LogDelete, Query()], request: Request
) -> Response:
    """Delete calls of a gateway with their bodies, the oldest first; without filters, whatever they are."""
    if (await request.body()).strip() not in (b"", b"{}", b"null"):  # filters there would be passed over
        raise Invalid("body: is not read: send filters, before and limit in the query", path=("body",))
    tests = filters.tests(request.query_params.multi_items())
    if asked.filters is not None and not tests:  # whoever made that list up meant some calls, not all
        raise Invalid(
            "filters: is an empty list: give at least one filter, or leave it out to delete calls whatever they are",
            path=("query", "filters"),
        )
    return ok(None, info=await service.delete(context, gateway_id, asked, tests))


@router.get("/{log_id}", response_model=One[LogDetail])
@needs(Scope.READ, Scope.METADATA)
async def get_log(context: InContext, gateway_id: str, log_id: str) -> Response:
    """Show one call; with the beginnings of its bodies for who may read bodies."""
    return ok(await service.get(context, gateway_id, log_id))


@router.patch("/{log_id}", response_model=One[Nothing], responses=refusals(413))
@needs(Scope.WRITE)
async def edit_log(context: InContext, gateway_id: str, log_id: str, body: LogEdit) -> Response:
    """Say of a call what people think of it, or give it other metadata; also right after it."""
    await service.edit(context, gateway_id, log_id, body)
    return ok({})


@router.get("/{log_id}/request", response_class=Response, responses=_BODY)
@needs(Scope.READ)
async def get_log_request(context: InContext, gateway_id: str, log_id: str) -> Response:
    """The body of the request as it was stored, without an envelope."""
    stored = await service.body(context, gateway_id, log_id, "request", raw=True)
    return Response(stored.content, headers={"content-type": stored.kind, **HARMLESS})


@router.get("/{log_id}/response", response_class=Response, responses=_BODY)
@needs(Scope.READ)
async def get_log_response(context: InContext, gateway_id: str, log_id: str, accept: Accept = "") -> Response:
    """The body of the answer as it was stored, without an envelope; a streamed one as JSON with its chunks."""
    raw = service.EVENTS in accept.lower()
    stored = await service.body(context, gateway_id, log_id, "response", raw=raw)
    return Response(stored.content, headers={"content-type": stored.kind, **HARMLESS})
