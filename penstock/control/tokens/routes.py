"""Addresses of tokens. The list, the making and the revoking are Penstock's own; ``verify`` is what SDKs call."""

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from penstock.control import rest
from penstock.control.rest import (
    REFUSALS,
    Caller,
    Envelope,
    Guarded,
    Message,
    Pages,
    Readable,
    ResultInfo,
    Shared,
    needs,
    refusals,
)
from penstock.control.tokens import schema, service
from penstock.control.tokens.schema import NewToken, TokenGone, TokenMade, TokenShown, Verified
from penstock.core import instants
from penstock.model.token import Scope, Token

router = APIRouter(
    prefix="/client/v4/accounts/{account_id}/tokens", route_class=Guarded, tags=["Tokens"], responses=REFUSALS
)
user_router = APIRouter(
    prefix="/client/v4/user/tokens", route_class=Readable, tags=["Tokens"], responses=refusals(400, 401, 503)
)


class TokenList(Envelope):
    """A page of tokens."""

    result: list[TokenShown]
    result_info: ResultInfo


class OneToken(Envelope):
    """One token."""

    result: TokenShown


class NewOne(Envelope):
    """A new token with its secret."""

    result: TokenMade


class Gone(Envelope):
    """What is no more."""

    result: TokenGone


class Word(Message):
    """How it stands, in words."""

    type: None


class Standing(BaseModel):
    """How a token stands."""

    success: bool
    errors: list[Message]
    messages: list[Word]
    result: Verified


@router.post("", operation_id="create_token", response_model=NewOne, responses=refusals(413))
@needs(Scope.WRITE)
async def create_token(account_id: str, body: NewToken, caller: Caller, control: Shared) -> Response:
    """Make a token; its secret is shown this once."""
    made = await service.create(control.database, control.refresh, account_id, caller, body.wish())
    result = schema.shown(made.token, instants.now()) | {"value": made.value}
    return rest.ok(result, messages=[_missing(gateway) for gateway in made.missing])


@router.get("", operation_id="list_tokens", response_model=TokenList)
@needs(Scope.READ)
async def list_tokens(account_id: str, paging: Pages, caller: Caller, control: Shared) -> Response:
    """List the account's tokens, oldest first, without those that were revoked."""
    found, total = await service.page(control.database, account_id, caller, paging.per_page, paging.offset)
    result = [schema.shown(token, instants.now()) for token in found]
    return rest.ok(result, info=rest.info(paging.page, paging.per_page, len(found), total))


@router.get("/{token_id}", operation_id="get_token", response_model=OneToken)
@needs(Scope.READ)
async def get_token(account_id: str, token_id: str, caller: Caller, control: Shared) -> Response:
    """Show one token, without its secret."""
    token = await service.get(control.database, account_id, caller, token_id)
    return rest.ok(schema.shown(token, instants.now()))


@router.delete("/{token_id}", operation_id="revoke_token", response_model=Gone)
@needs(Scope.WRITE)
async def revoke_token(account_id: str, token_id: str, caller: Caller, control: Shared) -> Response:
    """Revoke a token: it opens nothing from the moment of the answer."""
    token = await service.revoke(control.database, control.refresh, account_id, caller, token_id)
    return rest.ok({"id": token.id})


@user_router.get("/verify", operation_id="verify_token", response_model=Standing)
async def verify_token(request: Request, control: Shared) -> Response:
    """Tell how the token stands that the request came with; one that has expired is told so here."""
    token = rest.authenticate(request.headers, control.keyring, expired=True)
    return rest.ok(schema.verified(token, instants.now()), messages=[_standing(token)])


def _standing(token: Token) -> dict[str, Any]:
    words = {"active": "valid and active", "expired": "expired"}[schema.status(token, instants.now())]
    return {"code": 10000, "message": f"This API Token is {words}", "type": None}


def _missing(gateway: str) -> dict[str, Any]:
    return {"code": 7002, "message": f"There is no gateway {gateway!r} yet.", "path": ["body", "gateways"]}
