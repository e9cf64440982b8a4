"""What a token looks like on the wire."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from penstock.control.tokens import limits
from penstock.control.tokens.limits import BudgetShown, ModelPatterns, TokenBudget, TokenRate, unique
from penstock.control.values import GatewayId, spelt
from penstock.core import instants
from penstock.core.errors import Invalid
from penstock.model.limits import RateLimit
from penstock.model.money import Budget
from penstock.model.token import SCOPES, Token


def _scope(value: str) -> str:
    if value not in SCOPES:
        raise PydanticCustomError("scope", "must be one of: {known}", {"known": ", ".join(SCOPES)})
    return value


def _instant(value: str) -> str:
    try:
        instants.parse(value)
    except ValueError:
        raise PydanticCustomError("instant", "must be a date and time in ISO 8601: 2027-01-31T12:00:00Z") from None
    return value


_name = spelt(r"[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*", "must be text without control characters")
_email = spelt(r"[!-?A-~]{1,64}@[!-?A-~]{1,255}", "must be an e-mail address")

Name = Annotated[str, Field(min_length=1, max_length=120), *_name]
Email = Annotated[str, *_email]
ScopeName = Annotated[str, AfterValidator(_scope), Field(json_schema_extra={"enum": list(SCOPES)})]
Instant = Annotated[str, AfterValidator(_instant), Field(json_schema_extra={"format": "date-time"})]

Scopes = Annotated[list[ScopeName], Field(min_length=1, max_length=len(SCOPES)), *unique]
GatewayIds = Annotated[list[GatewayId], Field(min_length=1, max_length=1000), *unique]


class NewToken(BaseModel):
    """A token to be made."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Name = Field(description="What it is for; shown in lists and in the audit trail.")
    scopes: Scopes = Field(description="What it may do.")
    email: Email | None = Field(None, description="What X-Auth-Email must say where the token is sent as X-Auth-Key.")
    gateways: GatewayIds | None = Field(None, description="Ids of the only gateways it opens; left out: all.")
    expires_on: Instant | None = Field(None, description="When it stops working; left out: never.")
    budget: TokenBudget | None = Field(None, description="What calls with it may cost; left out: no limit.")
    rate_limit: TokenRate | None = Field(None, description="How many calls may be made; left out: no limit.")
    models: ModelPatterns | None = Field(
        None,
        description="The only models it calls: `provider/model`, where `*` stands for any characters; left out: all.",
    )

    def wish(self) -> "Wish":
        return Wish(
            name=self.name,
            scopes=frozenset(self.scopes),
            email=self.email or "",
            gateways=None if self.gateways is None else frozenset(self.gateways),
            **_bounds(self),
        )


class TokenUpdate(BaseModel):
    """What is to be otherwise. What is left out stays as it is; null takes the limit away."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Name = ""
    expires_on: Instant | None = Field(None, description="When it stops working; null: never.")
    budget: TokenBudget | None = Field(None, description="What calls with it may cost; what was spent stays counted.")
    rate_limit: TokenRate | None = Field(None, description="How many calls may be made.")
    models: ModelPatterns | None = Field(None, description="The only models it calls.")

    def changes(self) -> dict[str, Any]:
        """By the names of ``model.token.Token``."""
        sent = {"expires_at" if name == "expires_on" else name for name in self.model_fields_set}
        return {name: value for name, value in ({"name": self.name} | _bounds(self)).items() if name in sent}


def _bounds(body: NewToken | TokenUpdate) -> dict[str, Any]:
    return {
        "expires_at": None if body.expires_on is None else instants.parse(body.expires_on),
        "budget": None if body.budget is None else body.budget.limit(),
        "rate_limit": None if body.rate_limit is None else body.rate_limit.rate(),
        "models": None if body.models is None else tuple(body.models),
    }


class Wish(NamedTuple):
    """The same as the rules see it; fields as in ``model.token.Token``."""

    name: str
    scopes: frozenset[str]
    email: str = ""
    gateways: frozenset[str] | None = None
    expires_at: int | None = None
    budget: Budget | None = None  # whose it is, is still to be said
    rate_limit: RateLimit | None = None
    models: tuple[str, ...] | None = None


class TokenShown(BaseModel):
    """A token without its secret."""

    id: str
    name: str
    scopes: list[ScopeName]
    email: str | None
    gateways: list[str] | None
    created_at: Instant
    expires_on: Instant | None
    budget: BudgetShown | None
    rate_limit: TokenRate | None
    models: list[str] | None
    status: Literal["active", "expired"]


class TokenMade(TokenShown):
    """A new token. ``value`` is the secret, shown this once."""

    value: str


class TokenGone(BaseModel):
    """A token that was revoked."""

    id: str


class Verified(BaseModel):
    """How the token stands that the request came with."""

    id: str
    status: Literal["active", "expired"]
    expires_on: Instant | None = None


def wish(**fields: Any) -> Wish:
    """What the API would take as a body. Raises Invalid with the path of the first field that is wrong."""
    try:
        return NewToken(**fields).wish()
    except ValidationError as error:
        raise _first(error) from None


def update(**fields: Any) -> TokenUpdate:
    """The same of a change."""
    try:
        return TokenUpdate(**fields)
    except ValidationError as error:
        raise _first(error) from None


def _first(error: ValidationError) -> Invalid:
    problem = error.errors()[0]
    return Invalid(str(problem["msg"]), path=problem["loc"])


def traits(token: Token) -> dict[str, Any]:
    """What was chosen: the audit trail keeps this."""
    return {
        "name": token.name,
        "scopes": [scope for scope in SCOPES if scope in token.scopes],
        "email": token.email or None,
        "gateways": None if token.gateways is None else sorted(token.gateways),
        "expires_on": None if token.expires_at is None else instants.text(token.expires_at),
        "budget": limits.budget(token.budget),
        "rate_limit": limits.rate(token.rate_limit),
        "models": None if token.models is None else list(token.models),
    }


def shown(token: Token, now: int, standing: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """As TokenShown says; ``now`` in milliseconds, ``standing`` what is left of its budget."""
    told = traits(token)
    if told["budget"] is not None:
        told["budget"] |= standing or {}
    return {
        "id": token.id,
        **told,
        "created_at": instants.text(token.created_at),
        "status": status(token, now),
    }


def verified(token: Token, now: int) -> dict[str, Any]:
    """As Verified says."""
    told = {"id": token.id, "status": status(token, now)}
    return told if token.expires_at is None else told | {"expires_on": instants.text(token.expires_at)}


def status(token: Token, now: int) -> str:
    return "expired" if token.expired(now) else "active"
