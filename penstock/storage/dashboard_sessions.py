"""Sessions of the dashboard. The id is the secret: it is in the browser's sealed cookie, and in this table."""

import msgspec
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from penstock.storage.dashboard_tables import dashboard_sessions
from penstock.storage.engine import Handle
from penstock.storage.errors import Taken

_s = dashboard_sessions.c


class SessionRow(msgspec.Struct, frozen=True):
    """A session. Columns as in ``dashboard_tables``."""

    id: str
    account: str
    token: str
    created_at: int
    expires_at: int
    ended_at: int | None = None


_COLUMNS = [_s[name] for name in SessionRow.__struct_fields__]


async def add(connection: Handle, row: SessionRow) -> None:
    """Raises Taken where there is, or was, a session of that id."""
    try:
        async with connection.begin_nested():
            await connection.execute(insert(dashboard_sessions).values(msgspec.structs.asdict(row)))
    except IntegrityError:
        raise Taken(row.id) from None


async def get(connection: Handle, account: str, session: str, now: int) -> SessionRow | None:
    """The session, unless it has ended or expired."""
    live = (_s.account == account) & (_s.id == session) & _s.ended_at.is_(None) & (_s.expires_at > now)
    row = (await connection.execute(select(*_COLUMNS).where(live))).one_or_none()
    return None if row is None else SessionRow(*row)


async def end(connection: Handle, account: str, tokens: list[str], now: int, session: str | None = None) -> int:
    """Ends the sessions of these tokens, or one of them; how many that were."""
    wanted = (_s.account == account) & _s.token.in_(tokens) & _s.ended_at.is_(None)
    if session is not None:
        wanted &= _s.id == session
    return (await connection.execute(update(dashboard_sessions).where(wanted).values(ended_at=now))).rowcount


async def forget(connection: Handle, now: int) -> None:
    """Deletes those that have expired."""
    await connection.execute(delete(dashboard_sessions).where(_s.expires_at <= now))
