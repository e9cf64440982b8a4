"""Rechecks the token of a change in the transaction that makes it."""

from penstock.core.errors import NotAuthenticated
from penstock.model.token import Token
from penstock.storage import tokens
from penstock.storage.engine import Handle


async def recheck_token(connection: Handle, actor: Token | str) -> None:
    """Raises NotAuthenticated for a token that was revoked since the request was let in."""
    if isinstance(actor, Token) and await tokens.get(connection, actor.account, actor.id) is None:
        raise NotAuthenticated
