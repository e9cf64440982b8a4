"""Accounts and tokens, as the start of a server needs them.

On plain sqlite3, because importing SQLAlchemy takes a quarter of a second.
"""

import sqlite3

import msgspec

from penstock.core import codec


class Token(msgspec.Struct, frozen=True):
    """An API token without its secret. ``hash`` is SHA-256 of the whole token."""

    id: str
    account: str
    hash: bytes
    name: str
    scopes: tuple[str, ...]
    created_at: int


_COLUMNS = "id, account, hash, name, scopes, created_at"
_scopes = codec.decoder(tuple[str, ...]).decode


def list_accounts(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Ids of all accounts, oldest first."""
    return tuple(row[0] for row in connection.execute("SELECT id FROM accounts ORDER BY created_at, id"))


def list_tokens(connection: sqlite3.Connection) -> tuple[Token, ...]:
    """All tokens of all accounts, oldest first."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM tokens ORDER BY created_at, id")  # noqa: S608
    return tuple(Token(*row[:4], scopes=_scopes(row[4]), created_at=row[5]) for row in rows)


def add_account(connection: sqlite3.Connection, account: str, created_at: int) -> None:
    connection.execute("INSERT INTO accounts (id, created_at) VALUES (?, ?)", (account, created_at))


def add_token(connection: sqlite3.Connection, token: Token) -> None:
    connection.execute(
        f"INSERT INTO tokens ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608
        (token.id, token.account, token.hash, token.name, codec.encode(token.scopes).decode(), token.created_at),
    )
