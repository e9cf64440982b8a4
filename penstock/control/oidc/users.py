"""What stands in Penstock for somebody whom an identity provider knows: one token, whose secret nobody has.

It is the same at every sign-in, so that its limits, what it spent, and what the audit trail has of it are one person's.
What it may do is what the last sign-in granted. Only sessions and passes are made of it, so it needs no end of its own.
"""

import hashlib
import re
import secrets as randomness
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from penstock.control.context import Control
from penstock.control.oidc.grants import Rights
from penstock.control.tokens.schema import traits
from penstock.core import instants
from penstock.model.token import Token
from penstock.storage import audit, configuration, tokens
from penstock.storage.engine import Handle

_LONGEST = 100  # characters of a person's name
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HASH = 32  # bytes


class User(NamedTuple):
    """``id``: of the token. ``name`` is shown."""

    account: str
    id: str
    name: str


def user_of(account: str, issuer: str, claims: Mapping[str, Any]) -> User:
    """Whom the claims are about: ``sub`` alone tells one from another."""
    known = "\0".join(("penstock single sign-on", account, issuer, claims["sub"]))
    address = claims.get("email") if claims.get("email_verified", True) in (True, "true") else None
    name = address if isinstance(address, str) and address.strip() else claims["sub"]
    shown = _CONTROL.sub("", name).strip()[:_LONGEST]
    return User(account, hashlib.sha256(known.encode()).hexdigest()[:32], f"{shown} (single sign-on)")


async def admitted(control: Control, user: User, rights: Rights) -> Token:
    """The user's token, with these rights and no others. One that was revoked holds again."""
    async with control.database.writing() as connection:
        found = await tokens.ever(connection, user.account, user.id)
        if found is None:
            digest = randomness.token_bytes(_HASH)  # of no secret that anybody knows
            token = Token(user.id, user.account, digest, user.name, rights.scopes, instants.now(), "", rights.gateways)
            version = await _told(connection, "token.create", token, None, token)
            await tokens.add(connection, token, version)
        else:
            before, revoked = found
            token = msgspec.structs.replace(before, name=user.name, scopes=rights.scopes, gateways=rights.gateways)
            if token == before and not revoked:
                return token
            action = "token.create" if revoked else "token.update"
            version = await _told(connection, action, token, None if revoked else before, token)
            await tokens.restore(connection, token, version)
    await control.refresh()
    return token


async def turned_away(control: Control, user: User) -> None:
    """Revokes the token of a user to whom nothing is granted any more, which ends their sessions."""
    async with control.database.writing() as connection:
        token = await tokens.get(connection, user.account, user.id)
        if token is None:
            return
        version = await _told(connection, "token.revoke", token, token, None)
        await tokens.revoke(connection, user.account, user.id, instants.now(), version)
    await control.refresh()


async def _told(connection: Handle, action: str, token: Token, before: Token | None, after: Token | None) -> int:
    """Adds to the audit trail; returns the raised version of the configuration."""
    was, now = (None if one is None else traits(one) for one in (before, after))
    await audit.add(connection, token.account, token, action, token.id, was, now)
    return await configuration.raise_version(connection)
