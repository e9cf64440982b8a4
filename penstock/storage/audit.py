"""The audit trail: who changed what, and from what to what. Rows are only ever added."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, func, select

from penstock.core import codec, ids, instants
from penstock.model.token import Token
from penstock.storage.engine import Handle
from penstock.storage.tables import audit

COMMAND_LINE = "command line"


class AuditRow(msgspec.Struct, frozen=True):
    """One change. ``id`` is a UUIDv7 and holds the time; ``actor`` is a token's id or COMMAND_LINE.

    ``actor_name`` is the token's name, or the operating system's user at the command line. None before: it was
    made; None after: it is gone.
    """

    id: bytes
    account: str
    actor: str
    actor_name: str
    action: str
    subject: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


_COLUMNS = [audit.c[name] for name in AuditRow.__struct_fields__]
_object = codec.decoder(dict[str, Any]).decode


async def add(
    connection: Handle,
    account: str,
    actor: Token | str,
    action: str,
    subject: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
) -> None:
    """Call it in the transaction of the change. ``actor``: a token, or the user who works at the command line.

    ``before`` and ``after`` are what JSON can say, secrets already masked.
    """
    by = (actor.id, actor.name) if isinstance(actor, Token) else (COMMAND_LINE, actor)
    row = (ids.new(), account, *by, action, subject, _text(before), _text(after))
    await connection.execute(audit.insert().values(dict(zip(AuditRow.__struct_fields__, row, strict=True))))


async def page(
    connection: Handle,
    account: str | None,
    limit: int,
    offset: int,
    *,
    subject: str = "",
    action: str = "",
    actor: str = "",
) -> tuple[list[AuditRow], int]:
    """Newest first, and how many there are in all. None: of every account; empty: of every subject, of any action and
    of anybody. ``action``: ``token.create``, or ``token`` for all of that kind; ``actor``: an id or a name.
    """
    kind = audit.c.action.startswith(f"{action}.", autoescape=True)
    conditions: list[ColumnElement[bool]] = [
        *([] if account is None else [audit.c.account == account]),
        *([audit.c.subject == subject] if subject else []),
        *([(audit.c.action == action) | kind] if action else []),
        *([(audit.c.actor == actor) | (audit.c.actor_name == actor)] if actor else []),
    ]

    def wanted(query: Select[Any]) -> Select[Any]:
        return query.where(*conditions)

    total = await connection.execute(wanted(select(func.count()).select_from(audit)))
    rows = await connection.execute(wanted(select(*_COLUMNS)).order_by(audit.c.id.desc()).limit(limit).offset(offset))
    return [_row(row) for row in rows], total.scalar_one()


async def of_subject(
    connection: Handle, account: str, subject: str, actions: Sequence[str], limit: int, offset: int, *, since: int
) -> list[AuditRow]:
    """Changes of these kinds, newest first. ``since``: milliseconds since the epoch, before the first of them."""
    first = since.to_bytes(6, "big") + bytes(10)
    wanted = select(*_COLUMNS).where(audit.c.account == account, audit.c.id >= first, audit.c.subject == subject)
    wanted = wanted.where(audit.c.action.in_(actions)).order_by(audit.c.id.desc())
    return [_row(row) for row in await connection.execute(wanted.limit(limit).offset(offset))]


def shown(row: AuditRow) -> dict[str, Any]:
    """As JSON can say it."""
    told = {name: getattr(row, name) for name in AuditRow.__struct_fields__ if name != "id"}
    return {"id": ids.text(row.id), "created_at": instants.text(ids.millis(row.id)), **told}


def _text(value: dict[str, Any] | None) -> str | None:
    return None if value is None else codec.encode(value).decode()


def _row(row: Any) -> AuditRow:
    *told, before, after = row
    return AuditRow(*told, *(None if side is None else _object(side) for side in (before, after)))
