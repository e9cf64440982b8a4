"""The rules of tokens, for the API and the command line: nobody hands on more than they have."""

import secrets as randomness
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from penstock.control.recheck import recheck_token
from penstock.control.tokens.schema import Wish, traits
from penstock.core import instants, secrets
from penstock.core.errors import Invalid, NotFound, NotPermitted
from penstock.model.token import SCOPES, Token
from penstock.storage import audit, configuration, tokens
from penstock.storage.engine import Database, Handle


class Made(NamedTuple):
    """A new token, its secret, and which of the gateways it names do not exist (yet)."""

    token: Token
    value: str
    missing: tuple[str, ...]


async def create(
    database: Database, refresh: Callable[[], Awaitable[None]], account: str, actor: Token | str, wish: Wish
) -> Made:
    """``actor``: the caller's token, or the user at the command line, who may do anything; here and below.

    Raises Invalid, NotPermitted, and NotAuthenticated where the caller's token was revoked meanwhile.
    """
    check_time(wish)
    if isinstance(actor, Token):
        permit(actor, wish)
    value = secrets.new()
    made = Token(
        randomness.token_hex(16), account, secrets.digest(value.encode()), created_at=instants.now(), **wish._asdict()
    )
    async with database.writing() as connection:
        await recheck_token(connection, actor)
        await tokens.add(connection, made, await configuration.raise_version(connection))
        await audit.add(connection, account, actor, "token.create", made.id, None, traits(made))
        missing = await tokens.unknown_gateways(connection, account, made.gateways or frozenset())
    await refresh()
    return Made(made, value, missing)


async def revoke(
    database: Database, refresh: Callable[[], Awaitable[None]], account: str, actor: Token | str, token_id: str
) -> Token:
    """From now on it opens nothing; one may revoke oneself. Raises NotFound, NotPermitted and NotAuthenticated."""
    manages(actor)
    async with database.writing() as connection:
        await recheck_token(connection, actor)
        token = await _found(connection, account, token_id)
        version = await configuration.raise_version(connection)
        await tokens.revoke(connection, account, token_id, instants.now(), version)
        await audit.add(connection, account, actor, "token.revoke", token_id, traits(token), None)
    await refresh()
    return token


async def get(database: Database, account: str, actor: Token | str, token_id: str) -> Token:
    """Raises NotFound and NotPermitted."""
    manages(actor)
    async with database.reading() as connection:
        return await _found(connection, account, token_id)


async def page(
    database: Database, account: str, actor: Token | str, limit: int, offset: int
) -> tuple[list[Token], int]:
    """Oldest first, and how many there are. Raises NotPermitted."""
    manages(actor)
    async with database.reading() as connection:
        return await tokens.page(connection, account, limit, offset)


def manages(actor: Token | str) -> None:
    """Raises NotPermitted for a token that is limited to gateways: tokens belong to the whole account."""
    if isinstance(actor, Token) and actor.gateways is not None:
        raise NotPermitted("Authentication error: a token that is limited to gateways cannot manage tokens.")


def permit(actor: Token, wish: Wish) -> None:
    """Raises NotPermitted where the new token could do what its maker cannot, or outlive it."""
    manages(actor)
    if lacking := [scope for scope in SCOPES if scope in wish.scopes - actor.scopes]:
        raise NotPermitted(
            f"scopes: you cannot give what your token lacks: {', '.join(lacking)}.", path=("body", "scopes")
        )
    if actor.expires_at is not None and (wish.expires_at is None or wish.expires_at > actor.expires_at):
        raise NotPermitted(
            f"expires_on: must not be later than that of your token, {instants.text(actor.expires_at)}.",
            path=("body", "expires_on"),
        )


def check_time(wish: Wish) -> None:
    """Raises Invalid for a token that would never work."""
    if wish.expires_at is not None and wish.expires_at <= instants.now():
        raise Invalid("expires_on: must be in the future", path=("body", "expires_on"))


async def _found(connection: Handle, account: str, token_id: str) -> Token:
    token = await tokens.get(connection, account, token_id)
    if token is None:
        raise NotFound
    return token
