"""Addresses of tokens. ``verify`` is what SDKs call; the others are Penstock's own."""

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from penstock.control import rest
from penstock.control.envelope import Many, Message, One
from penstock.control.rest import InContext, Pages, Readable, Shared, needs, refusals
from penstock.control.tokens import schema, service
from penstock.control.tokens.schema import NewToken, TokenGone, TokenMade, TokenShown, TokenUpdate, Verified
from penstock.core import instants
from penstock.model.token import Scope, Token

router = rest.resource("/tokens", "Tokens")
user_router = APIRouter(
    prefix="/client/v4/user/tokens", route_class=Readable, tags=["Tokens"], responses=refusals(400, 401, 503)
)


class Word(Message):
    """How it stands, in words."""

    type: None


class Standing(BaseModel):
    """How a token stands."""

    success: bool
    errors: list[Message]
    messages: list[Word]
    result: Verified


@router.post("", response_model=One[TokenMade], responses=refusals(413))
@needs(Scope.WRITE)
async def create_token(context: InContext, body: NewToken) -> Response:
    """Make a token; its secret is shown this once."""
    made = await service.create(context, body.wish())
    (told,) = await service.told(context, [made.token])
    return rest.ok(told | {"value": made.value}, messages=[_missing(gateway) for gateway in made.missing])


@router.get("", response_model=Many[TokenShown])
@needs(Scope.READ)
async def list_tokens(context: InContext, asked: Pages) -> Response:
    """List the account's tokens, oldest first, without those that were revoked."""
    return rest.listed(await service.page(context, asked), asked)


@router.get("/{token_id}", response_model=One[TokenShown])
@needs(Scope.READ)
async def get_token(context: InContext, token_id: str) -> Response:
    """Show one token, without its secret."""
    return rest.ok(await service.get(context, token_id))


@router.patch("/{token_id}", response_model=One[TokenShown], responses=refusals(413))
@needs(Scope.WRITE)
async def update_token(context: InContext, token_id: str, body: TokenUpdate) -> Response:
    """Change a token: its name, its end, and what its holder may spend and call. Its secret stays."""
    return rest.ok(await service.update(context, token_id, body))


@router.delete("/{token_id}", response_model=One[TokenGone])
@needs(Scope.WRITE)
async def revoke_token(context: InContext, token_id: str) -> Response:
    """Revoke a token: it opens nothing from the moment of the answer."""
    await service.revoke(context, token_id)
    return rest.ok({"id": token_id})


@user_router.get("/verify", response_model=Standing)
async def verify_token(request: Request, control: Shared) -> Response:
    """Tell how the token stands that the request came with; one that has expired is told so here."""
    token = rest.authenticate(request.headers, control.keyring, expired=True)
    return rest.ok(schema.verified(token, instants.now()), messages=[_standing(token)])


def _standing(token: Token) -> dict[str, Any]:
    words = {"active": "valid and active", "expired": "expired"}[schema.status(token, instants.now())]
    return {"code": 10000, "message": f"This API Token is {words}", "type": None}


def _missing(gateway: str) -> dict[str, Any]:
    return {"code": 7002, "message": f"There is no gateway {gateway!r} yet.", "path": ["body", "gateways"]}
