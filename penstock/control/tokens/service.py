"""The rules of tokens, for the API and the command line: nobody hands on more than they have."""

import secrets as randomness
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from penstock.control import budgets
from penstock.control.context import Context, changing, found, refuse_limited
from penstock.control.envelope import Paging
from penstock.control.tokens.schema import TokenUpdate, Wish, shown, traits
from penstock.core import instants, secrets
from penstock.core.errors import Conflict, Invalid, NotPermitted
from penstock.model.token import SCOPES, Token, budget_owner
from penstock.storage import tokens


class Made(NamedTuple):
    """A new token, its secret, and which of the gateways it names do not exist (yet)."""

    token: Token
    value: str
    missing: tuple[str, ...]


async def create(context: Context, wish: Wish, token_id: str = "") -> Made:
    """``token_id``: 32 hex, no other account's; chosen here unless given.

    Raises Invalid, NotPermitted, Conflict, and NotAuthenticated where the caller's token was revoked meanwhile.
    """
    check_time(wish.expires_at)
    permit(context, wish)
    value = secrets.new()
    made = Token(
        token_id or randomness.token_hex(16),
        context.account,
        secrets.digest(value.encode()),
        created_at=instants.now(),
        **wish._asdict(),
    )
    made = _owned(made)
    async with changing(context) as change:
        if token_id and await tokens.ever(change.connection, context.account, token_id):
            raise Conflict("This token was made already.")
        await tokens.add(change.connection, made, await change.record("token.create", made.id, None, traits(made)))
        missing = await tokens.unknown_gateways(change.connection, context.account, made.gateways or frozenset())
    return Made(made, value, missing)


async def update(context: Context, token_id: str, body: TokenUpdate) -> dict[str, Any]:
    """Changes what the holder may do; the secret stays. Answers what it is now.

    Raises Invalid, NotFound, NotPermitted and NotAuthenticated.
    """
    changes = body.changes()
    _permit_any(context)
    if "expires_at" in changes:
        check_time(changes["expires_at"])
        _permit_time(context, changes["expires_at"])
    async with changing(context) as change:
        before = found(await tokens.get(change.connection, context.account, token_id))
        after = _owned(msgspec.structs.replace(before, **changes))
        if after != before:
            version = await change.record("token.update", token_id, traits(before), traits(after))
            await tokens.change(change.connection, after, version)
    return (await told(context, [after]))[0]


async def revoke(context: Context, token_id: str) -> dict[str, Any]:
    """From now on it opens nothing; one may revoke oneself. Answers what it was.

    Raises NotFound, NotPermitted and NotAuthenticated.
    """
    _manages(context)
    async with changing(context) as change:
        token = found(await tokens.get(change.connection, context.account, token_id))
        version = await change.record("token.revoke", token_id, traits(token), None)
        await tokens.revoke(change.connection, context.account, token_id, instants.now(), version)
    return shown(token, instants.now())


async def get(context: Context, token_id: str) -> dict[str, Any]:
    """Raises NotFound and NotPermitted."""
    _manages(context)
    async with context.control.database.reading() as connection:
        token = found(await tokens.get(connection, context.account, token_id))
    return (await told(context, [token]))[0]


async def page(context: Context, asked: Paging, *, budgeted: bool = False) -> tuple[list[dict[str, Any]], int]:
    """Oldest first, and how many there are; ``budgeted``: of those that have a budget. Raises NotPermitted."""
    _manages(context)
    async with context.control.database.reading() as connection:
        rows, total = await tokens.page(connection, context.account, asked.per_page, asked.offset, budgeted=budgeted)
    return await told(context, rows), total


async def told(context: Context, rows: Sequence[Token]) -> list[dict[str, Any]]:
    """With what is left of their budgets."""
    now = instants.now()
    mine = [token.budget for token in rows if token.budget is not None]
    found = zip(mine, await budgets.held(context.control, mine, now), strict=True)
    left = {budget.owner: budgets.told(budget, held, now) for budget, held in found}
    return [shown(token, now, left.get(budget_owner(token.id))) for token in rows]


def _manages(context: Context) -> None:
    """Raises NotPermitted: tokens belong to the whole account."""
    refuse_limited(context, "manage tokens")


def permit(context: Context, wish: Wish) -> None:
    """Raises NotPermitted where the new token could do what its maker cannot, or outlive it."""
    _permit_any(context)
    actor = context.actor
    if not isinstance(actor, Token):
        return
    if lacking := [scope for scope in SCOPES if scope in wish.scopes - actor.scopes]:
        raise NotPermitted(
            f"scopes: you cannot give what your token lacks: {', '.join(lacking)}.", path=("body", "scopes")
        )
    _permit_time(context, wish.expires_at)


def _permit_any(context: Context) -> None:
    """Raises NotPermitted where any other token could be freer than the actor's: of two that have the same budget, the
    calls may cost twice as much.
    """
    _manages(context)
    if isinstance(context.actor, Token) and context.actor.is_bound():
        raise NotPermitted(
            "Authentication error: a token that has a budget, a rate limit or a list of models cannot make or change "
            "tokens."
        )


def _permit_time(context: Context, expires_at: int | None) -> None:
    most = context.actor.expires_at if isinstance(context.actor, Token) else None
    if most is not None and (expires_at is None or expires_at > most):
        raise NotPermitted(
            f"expires_on: must not be later than that of your token, {instants.text(most)}.",
            path=("body", "expires_on"),
        )


def check_time(expires_at: int | None) -> None:
    """Raises Invalid for the time of a token that would not work."""
    if expires_at is not None and expires_at <= instants.now():
        raise Invalid("expires_on: must be in the future", path=("body", "expires_on"))


def _owned(token: Token) -> Token:
    """With its budget under the name by which it is counted."""
    if token.budget is None:
        return token
    return msgspec.structs.replace(token, budget=token.budget._replace(owner=budget_owner(token.id)))
