"""The manners of the control plane: who may, the envelope, paging (specification of the data plane, 15.5)."""

import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Annotated, Any, TypeVar, cast

from fastapi import Depends, Query, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field

from penstock.control.context import Control
from penstock.core.codec import encode
from penstock.core.errors import InvalidHeaders, NoCredentials, NotAuthenticated, NotFound, NotPermitted
from penstock.features.auth import Keyring, digest
from penstock.model.token import SCOPES, Token

_F = TypeVar("_F", bound=Callable[..., Any])
_EVERY = frozenset(SCOPES)


# Who may


def needs(*scopes: str) -> Callable[[_F], _F]:
    """Marks a handler: the caller's token must have one of these scopes; none named: any token of the account will do."""

    def mark(handler: _F) -> _F:
        cast("Any", handler).scopes = scopes
        return handler

    return mark


class Guarded(APIRoute):
    """Answers who may not from the headers alone, before a body is read."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        scopes: tuple[str, ...] = getattr(self.endpoint, "scopes", ())

        async def guarded(request: Request) -> Response:
            control: Control = request.app.state.control
            token = request.state.token = authenticate(request.headers, control.keyring)
            admit(token, request.path_params, scopes)
            return await handle(request)

        return guarded


def authenticate(headers: Mapping[str, str], keyring: Keyring, *, expired: bool = False) -> Token:
    """The token that came; ``expired``: also one that is. Raises NoCredentials, InvalidHeaders or NotAuthenticated."""
    bearer, key = headers.get("authorization"), headers.get("x-auth-key") or headers.get("x-auth-user-service-key")
    if bearer is not None:
        scheme, _, secret = bearer.strip().partition(" ")
        if scheme.lower() != "bearer" or not secret.strip() or " " in secret.strip():
            raise InvalidHeaders("Invalid request headers: Authorization must be: Bearer <token>", cause=6111)
        return _known(keyring, secret.strip(), expired=expired)
    if key is None:
        raise NoCredentials
    token = _known(keyring, key.strip(), expired=expired)
    if "x-auth-key" in headers:
        email = headers.get("x-auth-email", "").strip().lower()
        if not token.email or email != token.email.lower() or not token.scopes >= _EVERY:
            keyring.refused("control", "email")
            raise NotAuthenticated
    return token


def _known(keyring: Keyring, secret: str, *, expired: bool) -> Token:
    token = keyring.find(digest(secret.encode()))
    if token is None or (not expired and token.expired(time.time_ns() // 1_000_000)):
        keyring.refused("control")
        raise NotAuthenticated
    return token


def admit(token: Token, path: Mapping[str, str], scopes: Sequence[str]) -> None:
    """Raises NotFound for what is not the token's, whether it exists or not, and NotPermitted without a scope."""
    foreign = path.get("account_id", token.account) != token.account
    if foreign or ("gateway_id" in path and not token.opens(path["gateway_id"])):
        raise NotFound
    if scopes and token.scopes.isdisjoint(scopes):
        raise NotPermitted(f"Authentication error: the token lacks the permission {' or '.join(scopes)}.")


def _token(request: Request) -> Token:
    return request.state.token


def _control(request: Request) -> Control:
    return request.app.state.control


Caller = Annotated[Token, Depends(_token)]
Shared = Annotated[Control, Depends(_control)]


# The envelope


class Message(BaseModel):
    """Something that the caller should know, or that is wrong."""

    code: int
    message: str
    path: list[str | int] | None = None


class ResultInfo(BaseModel):
    """Where a page stands."""

    model_config = ConfigDict(extra="allow")

    page: int
    per_page: int
    count: int
    total_count: int | None = None
    total_pages: int | None = None


class Envelope(BaseModel):
    """What every answer is wrapped in."""

    success: bool
    errors: list[Message]
    messages: list[Message]


class Failure(Envelope):
    """What a refusal looks like."""

    result: None = None


def ok(result: object, *, messages: Sequence[Mapping[str, Any]] = (), info: Mapping[str, Any] | None = None) -> Response:
    """200 and the result in the envelope."""
    body: dict[str, object] = {"success": True, "errors": [], "messages": list(messages), "result": result}
    if info is not None:
        body["result_info"] = info
    return Response(encode(body), media_type="application/json")


# Paging


class Paging(BaseModel):
    """Query parameters of a list."""

    model_config = ConfigDict(extra="forbid")

    page: int = Field(1, ge=1, le=10_000_000, description="Page, from 1.")
    per_page: int = Field(20, ge=1, le=100, description="Entries a page.")

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.per_page


Pages = Annotated[Paging, Query()]


def info(page: int, per_page: int, count: int, total: int) -> dict[str, int]:
    """``result_info`` of a page."""
    pages = -(-total // per_page)
    return {"page": page, "per_page": per_page, "count": count, "total_count": total, "total_pages": pages}
