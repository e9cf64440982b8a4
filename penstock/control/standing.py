"""Whether whoever asked for a change may still make it when its turn has come."""

from penstock.core.errors import NotAuthenticated
from penstock.model.token import Token
from penstock.storage import tokens
from penstock.storage.engine import Handle


async def still_holds(connection: Handle, actor: Token | str) -> None:
    """To be asked in the transaction of the change. Raises NotAuthenticated for a token that was revoked meanwhile."""
    if isinstance(actor, Token) and await tokens.get(connection, actor.account, actor.id) is None:
        raise NotAuthenticated
