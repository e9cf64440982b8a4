"""Accounts and tokens, as the start of a server needs them, before anything is served.

On plain sqlite3, in the transaction that also writes the credentials file.
"""

import sqlite3

from penstock.core import codec
from penstock.model.token import Token


def list_accounts(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Ids of all accounts, oldest first."""
    return tuple(row[0] for row in connection.execute("SELECT id FROM accounts ORDER BY created_at, id"))


def add_account(connection: sqlite3.Connection, account: str, created_at: int) -> None:
    connection.execute("INSERT INTO accounts (id, created_at) VALUES (?, ?)", (account, created_at))


def add_token(connection: sqlite3.Connection, token: Token) -> None:
    """A token for every gateway that never expires."""
    connection.execute(
        "INSERT INTO tokens (id, account, hash, name, scopes, created_at, email) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            *(token.id, token.account, token.hash, token.name),
            *(codec.encode(sorted(token.scopes)).decode(), token.created_at, token.email),
        ),
    )


def find_token(connection: sqlite3.Connection, digest: bytes) -> tuple[str, bool] | None:
    """The account of the token of that SHA-256 and whether it was revoked; None: there is none."""
    sql = "SELECT account, revoked_at IS NOT NULL FROM tokens WHERE hash = ?"
    row = connection.execute(sql, (digest,)).fetchone()
    return None if row is None else (row[0], bool(row[1]))
