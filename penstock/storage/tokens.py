"""API tokens. Of a secret there is its SHA-256 alone; a revoked token keeps its row, so that it stays revoked."""

from typing import Any, cast

import msgspec
from sqlalchemy import func, select, update

from penstock.core import codec
from penstock.model.limits import RateLimit
from penstock.model.money import Budget
from penstock.model.token import Token
from penstock.storage.engine import Handle
from penstock.storage.tables import gateways, tokens

_names = codec.decoder(frozenset[str]).decode
_READ = {  # columns that are JSON
    "scopes": _names,
    "gateways": _names,
    "budget": codec.decoder(Budget).decode,
    "rate_limit": codec.decoder(RateLimit).decode,
    "models": codec.decoder(tuple[str, ...]).decode,
}
_COLUMNS = [tokens.c[name] for name in Token.__struct_fields__]  # a row has the fields of a token, in their order
_SETS = ("scopes", "gateways")


async def add(connection: Handle, token: Token, version: int) -> None:
    """``version`` as ``configuration.raise_version`` gave it in this transaction, here and below."""
    await connection.execute(tokens.insert().values(_row(token) | {"version": version}))


async def change(connection: Handle, token: Token, version: int) -> None:
    """Makes the token of its id, which was not revoked, what it is here."""
    live = _live(token.account)
    await connection.execute(
        update(tokens).where(live, tokens.c.id == token.id).values(_row(token) | {"version": version})
    )


async def get(connection: Handle, account: str, token_id: str) -> Token | None:
    """The token, unless it was revoked."""
    found = await connection.execute(select(*_COLUMNS).where(_live(account), tokens.c.id == token_id))
    row = found.one_or_none()
    return None if row is None else _token(row)


async def ever(connection: Handle, account: str, token_id: str) -> tuple[Token, bool] | None:
    """The token of that id, if there ever was one, and whether it was revoked."""
    mine = (tokens.c.account == account) & (tokens.c.id == token_id)
    row = (await connection.execute(select(*_COLUMNS, tokens.c.revoked_at).where(mine))).one_or_none()
    return None if row is None else (_token(row[:-1]), row.revoked_at is not None)


async def restore(connection: Handle, token: Token, version: int) -> None:
    """Makes the token of its id, also one that was revoked, what it is here."""
    mine = (tokens.c.account == token.account) & (tokens.c.id == token.id)
    values = _row(token) | {"version": version, "revoked_at": None}
    await connection.execute(update(tokens).where(mine).values(values))


async def page(
    connection: Handle, account: str, limit: int, offset: int, *, budgeted: bool = False
) -> tuple[list[Token], int]:
    """Tokens that were not revoked, oldest first, and how many there are in all; ``budgeted``: with a budget."""
    wanted = _live(account)
    if budgeted:
        wanted &= tokens.c.budget.is_not(None)
    total = await connection.execute(select(func.count()).select_from(tokens).where(wanted))
    oldest = select(*_COLUMNS).where(wanted).order_by(tokens.c.created_at, tokens.c.id)
    rows = await connection.execute(oldest.limit(limit).offset(offset))
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


def _row(token: Token) -> dict[str, Any]:
    row = msgspec.structs.asdict(token)
    for name in _READ:
        value = row[name]
        if value is not None:
            row[name] = codec.encode(sorted(cast("frozenset[str]", value)) if name in _SETS else value).decode()
    return row


def _token(row: Any) -> Token:
    fields = dict(zip(Token.__struct_fields__, row, strict=True))
    for name, read in _READ.items():
        if fields[name] is not None:
            fields[name] = read(fields[name])
    return Token(**fields)
