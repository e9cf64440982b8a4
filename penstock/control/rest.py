"""What all routes of the control plane share: authorization, and how they answer (docs/endpoints.md)."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, TypeGuard, TypeVar, cast, get_args, get_origin

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.routing import Match
from starlette.types import Scope as AsgiScope

from penstock.control.context import Context, Control
from penstock.control.envelope import Failure, Paging
from penstock.core import instants
from penstock.core.codec import DecodeError, Raw, decoder, encode
from penstock.core.errors import Invalid, InvalidHeaders, NoCredentials, NotAuthenticated, NotFound, NotPermitted
from penstock.features.auth import Keyring
from penstock.model.token import SCOPES, Scope, Token

_F = TypeVar("_F", bound=Callable[..., Any])
_EVERY = frozenset(SCOPES) - {Scope.BILLING}  # that an X-Auth-Key has: what customers may do
MOST_PARAMETERS = 200  # of a query
MOST_MEMBERS = 1200  # of a body and of what is in it, and colons in its texts
MOST_ERRORS = 100  # that one refusal tells


# Who may


def needs(*scopes: str) -> Callable[[_F], _F]:
    """Marks a handler: the caller's token must have one of these scopes; none named: any of the account will do."""

    def mark(handler: _F) -> _F:
        cast("Any", handler).scopes = scopes
        return handler

    return mark


class Readable(APIRoute):
    """What can be got can be asked for by HEAD; the server leaves out the body.

    The document calls an operation what its handler is called.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        options["operation_id"] = endpoint.__name__
        super().__init__(path, endpoint, **options)

    def matches(self, scope: AsgiScope) -> tuple[Match, AsgiScope]:
        if scope.get("method") != "HEAD":
            return super().matches(scope)
        match, child = super().matches({**scope, "method": "GET"})
        return match, {**child, "method": "GET"} if match is Match.FULL else child


class Guarded(Readable):
    """Answers who may not, and what is no JSON, from the headers alone, before a body is read."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        scopes: tuple[str, ...] = getattr(endpoint, "scopes", ())
        if scopes:  # for the document: any of them will do
            options["openapi_extra"] = {"x-permissions": list(scopes)}
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        scopes: tuple[str, ...] = getattr(self.endpoint, "scopes", ())
        once, known = _once(self), _known_members(self)

        async def guarded(request: Request) -> Response:
            control: Control = request.app.state.control
            token = request.state.token = authenticate(request.headers, control.keyring)
            admit(token, request.path_params, scopes)
            if self.body_field is not None:
                expect_json(request.headers)
            if request.url.query.count("&") >= MOST_PARAMETERS:
                raise Invalid(f"query: has more than {MOST_PARAMETERS} parameters", path=("query",))
            expect_once(request.query_params.multi_items(), once)
            if self.body_field is not None:
                expect_few(await request.body(), known)
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
    token = keyring.known(secret.encode())
    if token is None or (not expired and token.expired(instants.now())):
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


def expect_json(headers: Mapping[str, str]) -> None:
    """Raises Invalid for a body that is said to be something else."""
    if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
        return  # none came, and that is told in other words
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise Invalid("content-type: must be application/json", path=("header", "content-type"))


def _once(route: APIRoute) -> frozenset[str]:
    """The query parameters that are no lists. Each handler takes its own as one model."""
    models = [field.field_info.annotation for field in route.dependant.query_params]
    members = [member for model in models if _is_model(model) for member in model.model_fields.items()]
    return frozenset(field.alias or name for name, field in members if not _lists(field.annotation))


def _is_model(kind: object) -> TypeGuard[type[BaseModel]]:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _lists(kind: object) -> bool:
    """Whether a list is among the alternatives."""
    return get_origin(kind) is list or any(map(_lists, get_args(kind)))


def expect_once(given: Sequence[tuple[str, str]], once: frozenset[str]) -> None:
    """Raises Invalid for a parameter that came twice, of which but one value could count."""
    seen: set[str] = set()
    for name, _ in given:
        if name in seen and name in once:
            raise Invalid(f"{name}: is given twice", path=("query", name))
        seen.add(name)


def _known_members(route: APIRoute) -> frozenset[str]:
    """The members of the body."""
    model = route.body_field.field_info.annotation if route.body_field is not None else None
    return frozenset(model.model_fields) if _is_model(model) else frozenset()


def expect_few(body: bytes, known: frozenset[str]) -> None:
    """Raises RequestValidationError for a body of more members than any has. Each member that is wrong costs
    microseconds, so such a body is not judged any further than ``known`` says.
    """
    if body.count(b":") <= MOST_MEMBERS:
        return
    try:
        unknown = [name for name in _decode_members(body) if name not in known]
    except DecodeError:
        return  # no object: that is told in one sentence
    told = [{"type": "extra_forbidden", "loc": ("body", name), "input": None} for name in unknown[:MOST_ERRORS]]
    many = {"type": "many", "loc": ("body",), "input": None, "msg": f"has more than {MOST_MEMBERS} members"}
    raise RequestValidationError(told or [many])


_decode_members = decoder(dict[str, Raw]).decode


async def _control(request: Request) -> Control:
    return request.app.state.control


async def _context(account_id: str, request: Request) -> Context:
    return Context(request.app.state.control, account_id, request.state.token)


Shared = Annotated[Control, Depends(_control)]
InContext = Annotated[Context, Depends(_context)]  # what a service is given


# Answers


_REFUSED = {
    400: "The request is not valid, or no credentials came: the errors say what, each with the path of its field.",
    401: "The token opens nothing: it is unknown, revoked or expired.",
    402: "The payment was refused.",
    403: "The token lacks a permission.",
    404: "There is none of that id, or the account is not the token's.",
    409: "There is one of that id already.",
    413: "The body is larger than 1 MiB.",
    503: "The database cannot be used; try again.",
}
_FINAL = {"x-should-retry": {"description": "Trying again is no use.", "schema": {"const": "false"}}}
_LATER = {"retry-after": {"description": "Seconds.", "schema": {"type": "integer"}}}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What the document says of these statuses."""
    return {
        status: {
            "model": Failure,
            "description": _REFUSED[status],
            "headers": _FINAL if status < 500 else _LATER,  # noqa: PLR2004
        }
        for status in statuses
    }


def resource(path: str, tag: str) -> APIRouter:
    """The router of what is below an account. ``tag``: where the document has it."""
    return APIRouter(
        prefix=f"/client/v4/accounts/{{account_id}}{path}",
        route_class=Guarded,
        tags=[tag],
        responses=refusals(400, 401, 403, 404, 503),
    )


def ok(
    result: object,
    *,
    messages: Sequence[Mapping[str, Any]] = (),
    info: Mapping[str, Any] | None = None,
    also: Mapping[str, Any] = MappingProxyType({}),
) -> Response:
    """200 and the result in the envelope. ``also``: members that the published API has there beside or instead."""
    body: dict[str, object] = {"success": True, "errors": [], "messages": list(messages), "result": result, **also}
    if info is not None:
        body["result_info"] = info
    return Response(encode(body), media_type="application/json")


Pages = Annotated[Paging, Query()]


def listed(
    page: tuple[Sequence[Any], int], asked: Paging, *, also: Mapping[str, Any] = MappingProxyType({})
) -> Response:
    """A page of a list, as services answer it: its entries, and how many there are in all."""
    entries, total = page
    place = {"page": asked.page, "per_page": asked.per_page, "count": len(entries)}
    return ok(entries, info=place | {"total_count": total, "total_pages": -(-total // asked.per_page)}, also=also)
