"""API tokens. Of a secret there is its SHA-256 alone; a revoked token keeps its row, so that it stays revoked."""

from typing import Any

import msgspec
from sqlalchemy import func, select, update

from penstock.core import codec
from penstock.model.token import Token
from penstock.storage.engine import Handle
from penstock.storage.tables import gateways, tokens

_names = codec.decoder(frozenset[str]).decode
_COLUMNS = [tokens.c[name] for name in Token.__struct_fields__]  # a row has the fields of a token, in their order


async def add(connection: Handle, token: Token, version: int) -> None:
    """``version`` as ``configuration.raise_version`` gave it in this transaction, here and below."""
    row = msgspec.structs.asdict(token)
    row |= {"scopes": _listed(token.scopes), "gateways": _listed(token.gateways), "version": version}
    await connection.execute(tokens.insert().values(row))


async def get(connection: Handle, account: str, token_id: str) -> Token | None:
    """The token, unless it was revoked."""
    found = await connection.execute(select(*_COLUMNS).where(_live(account), tokens.c.id == token_id))
    row = found.one_or_none()
    return None if row is None else _token(row)


async def page(connection: Handle, account: str, limit: int, offset: int) -> tuple[list[Token], int]:
    """Tokens that were not revoked, oldest first, and how many there are in all."""
    total = await connection.execute(select(func.count()).select_from(tokens).where(_live(account)))
    wanted = select(*_COLUMNS).where(_live(account)).order_by(tokens.c.created_at, tokens.c.id)
    rows = await connection.execute(wanted.limit(limit).offset(offset))
    return [_token(row) for row in rows], total.scalar_one()


async def revoke(connection: Handle, account: str, token_id: str, now: int, version: int) -> bool:
    """False: there is no such token, or it is revoked already."""
    change = update(tokens).where(_live(account), tokens.c.id == token_id).values(revoked_at=now, version=version)
    return (await connection.execute(change)).rowcount > 0


async def changed_since(connection: Handle, version: int) -> tuple[list[Token], list[bytes]]:
    """What is newer than ``version``, of all accounts: tokens, expired ones too, and the hashes of revoked ones."""
    newer = await connection.execute(select(*_COLUMNS, tokens.c.revoked_at).where(tokens.c.version > version))
    rows = newer.all()
    live = [_token(row[:-1]) for row in rows if row.revoked_at is None]
    return live, [row.hash for row in rows if row.revoked_at is not None]


async def unknown_gateways(connection: Handle, account: str, ids: frozenset[str]) -> tuple[str, ...]:
    """Those of ``ids`` that name no gateway of the account, in order."""
    there = (gateways.c.account == account) & gateways.c.deleted_at.is_(None) & gateways.c.id.in_(sorted(ids))
    known = await connection.execute(select(gateways.c.id).where(there))
    return tuple(sorted(ids - set(known.scalars())))


async def limited_to(connection: Handle, account: str, gateway_id: str) -> list[str]:
    """Ids of the tokens, expired ones too, that are limited to a gateway of this id, whether there is one or not."""
    named = tokens.c.gateways.contains(codec.encode(gateway_id).decode(), autoescape=True)  # in quotes: a whole name
    found = await connection.execute(
        select(tokens.c.id).where(_live(account), named).order_by(tokens.c.created_at, tokens.c.id)
    )
    return list(found.scalars())


def _live(account: str) -> Any:
    return (tokens.c.account == account) & tokens.c.revoked_at.is_(None)


def _listed(names: frozenset[str] | None) -> str | None:
    return None if names is None else codec.encode(sorted(names)).decode()


def _token(row: Any) -> Token:
    fields = dict(zip(Token.__struct_fields__, row, strict=True))
    fields["scopes"] = _names(fields["scopes"])
    fields["gateways"] = None if fields["gateways"] is None else _names(fields["gateways"])
    return Token(**fields)
