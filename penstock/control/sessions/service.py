"""The rules of the dashboard's sessions: who is signed in, with which token, and until when."""

import secrets
from typing import NamedTuple

from penstock.control.context import Control
from penstock.control.sessions import link
from penstock.core import instants
from penstock.core.errors import Conflict
from penstock.model.token import Token
from penstock.storage import audit, dashboard_sessions, tokens
from penstock.storage.dashboard_sessions import SessionRow
from penstock.storage.errors import Taken

LENGTH = 12 * 3600 * 1000  # milliseconds that a session lasts at most


class Session(NamedTuple):
    """Somebody who is signed in. ``token``: as it is now, so that what it may do changes at once."""

    id: str
    token: Token
    expires_at: int


def new_id() -> str:
    return secrets.token_hex(16)


async def begin(control: Control, token: Token, session_id: str) -> Session:
    """Signs the holder of the token in. Raises Conflict where the id was used before."""
    now = instants.now()
    until = now + LENGTH if token.expires_at is None else min(now + LENGTH, token.expires_at)
    async with control.database.writing() as connection:
        await dashboard_sessions.forget(connection, now)
        try:
            await dashboard_sessions.add(connection, SessionRow(session_id, token.account, token.id, now, until))
        except Taken:
            raise Conflict("This link has signed somebody in already, and does so once.") from None
        await audit.add(connection, token.account, token, "dashboard.sign_in", token.id, None, None)
    return Session(session_id, token, until)


async def begin_by_link(control: Control, text: str) -> Session | None:
    """Signs in whoever has the link. None: it, or its token, is not good. Raises Conflict for one that was used."""
    now = instants.now()
    found = link.opened(control.vault, text, now)
    if found is None:
        return None
    async with control.database.reading() as connection:
        token = await tokens.get(connection, found.account, found.token)
    return None if token is None or token.expired(now) else await begin(control, token, found.session)


async def current(control: Control, account: str, session_id: str) -> Session | None:
    """The session of that id, unless it has ended, or its token was revoked or has expired."""
    now = instants.now()
    async with control.database.reading() as connection:
        row = await dashboard_sessions.get(connection, account, session_id, now)
        token = None if row is None else await tokens.get(connection, account, row.token)
    if row is None or token is None or token.expired(now):
        return None
    return Session(row.id, token, row.expires_at)


async def end(control: Control, session: Session) -> None:
    """Signs out of this browser."""
    async with control.database.writing() as connection:
        await dashboard_sessions.end(connection, session.token.account, [session.token.id], instants.now(), session.id)


async def end_all(control: Control, session: Session) -> int:
    """Signs out everywhere: ends every session of the token; how many there were."""
    async with control.database.writing() as connection:
        token = session.token
        ended = await dashboard_sessions.end(connection, token.account, [token.id], instants.now())
        await audit.add(connection, token.account, token, "dashboard.sign_out_everywhere", token.id, None, None)
    return ended
