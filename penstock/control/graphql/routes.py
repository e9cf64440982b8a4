"""The address of GraphQL."""

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from penstock.control.context import Context
from penstock.control.rest import Guarded, Shared, needs, refusals
from penstock.core.codec import encode
from penstock.model.token import Scope

router = APIRouter(
    prefix="/client/v4/graphql",
    route_class=Guarded,
    tags=["Analytics"],
    responses=refusals(400, 401, 403, 404, 413, 503),
)


class GraphqlQuery(BaseModel):
    """A query, as GraphQL is sent over HTTP."""

    model_config = ConfigDict(extra="forbid", strict=True)

    query: str = Field(max_length=65536)
    variables: dict[str, Any] | None = None
    operationName: str | None = Field(None, max_length=256)  # noqa: N815  its name
    extensions: dict[str, Any] | None = None  # of clients such as Apollo's; none is known here


class GraphqlAnswer(BaseModel):
    """What GraphQL answers; errors in a query are answered 200 too."""

    data: dict[str, Any] | None
    errors: list[dict[str, Any]] | None


@router.post("", response_model=GraphqlAnswer)
@needs(Scope.READ, Scope.METADATA)
async def query_graphql(request: Request, control: Shared, body: GraphqlQuery) -> Response:
    """Ask the datasets of analytics in GraphQL: viewer.accounts(filter: {accountTag}).aiGateway…"""
    from penstock.control.graphql import execution  # noqa: PLC0415  by need

    token = request.state.token
    told = await execution.run(Context(control, token.account, token), body.query, body.variables, body.operationName)
    return Response(encode(told), media_type="application/json")
