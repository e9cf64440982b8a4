"""Accounts and tokens, as the start of a server needs them, before anything is served.

In the transaction that also writes the credentials file.
"""

from penstock.core import codec
from penstock.model.token import SCOPES, Token
from penstock.storage.announcements import CHANNEL
from penstock.storage.sql import POSTGRES, Sql, Statements


def hold(connection: Sql) -> str | None:
    """Until the transaction ends, nobody else changes what is configured; returns the key check."""
    ((check,),) = connection.execute(f"SELECT key_check FROM configuration{connection.dialect.alone}")  # noqa: S608
    return check


def set_key_check(connection: Sql, check: str) -> None:
    connection.execute("UPDATE configuration SET key_check = ?", (check,))


def list_accounts(connection: Statements) -> tuple[str, ...]:
    """Ids of all accounts, oldest first."""
    return tuple(row[0] for row in connection.execute("SELECT id FROM accounts ORDER BY created_at, id"))


def add_account(connection: Sql, account: str, created_at: int) -> None:
    connection.execute("INSERT INTO accounts (id, created_at) VALUES (?, ?)", (account, created_at))


def add_token(connection: Sql, token: Token) -> None:
    """A token for every gateway that never expires. Servers that run already learn of it."""
    ((version,),) = connection.execute("UPDATE configuration SET version = version + 1 RETURNING version")
    connection.execute(
        "INSERT INTO tokens (id, account, hash, name, scopes, created_at, email, version)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(token.id, token.account, token.hash, token.name),
            *(codec.encode(sorted(token.scopes)).decode(), token.created_at, token.email, version),
        ),
    )
    if connection.dialect is POSTGRES:
        connection.execute("SELECT pg_notify(?, ?)", (CHANNEL, str(version)))


def find_token(connection: Sql, digest: bytes) -> tuple[str, bool] | None:
    """The account of the token of that SHA-256 and whether it was revoked; None: there is none."""
    sql = "SELECT account, revoked_at IS NOT NULL FROM tokens WHERE hash = ?"
    rows = connection.execute(sql, (digest,))
    return (rows[0][0], bool(rows[0][1])) if rows else None


def operator_token(connection: Sql, account: str) -> str | None:
    """The id of the oldest token of an account that may do everything, everywhere and for ever."""
    rows = connection.execute(
        "SELECT id FROM tokens WHERE account = ? AND scopes = ? AND revoked_at IS NULL AND expires_at IS NULL"
        " AND gateways IS NULL ORDER BY created_at, id LIMIT 1",
        (account, codec.encode(sorted(SCOPES)).decode()),
    )
    return rows[0][0] if rows else None


def owner(connection: Sql, token: str, now: int) -> str | None:
    """The account of the token of that id, unless it was revoked or has expired."""
    rows = connection.execute(
        "SELECT account FROM tokens WHERE id = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)",
        (token, now),
    )
    return rows[0][0] if rows else None
