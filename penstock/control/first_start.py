"""What must exist before the first call: the data directory, the store, one account, one token, the master key.

The first start makes them and says the token once; later starts read them and say nothing secret.
"""

import hashlib
import os
import re
import secrets
import string
import time
import zlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

from penstock.storage import accounts, database, schema
from penstock.storage.accounts import Token

CREDENTIALS = "credentials.env"
MASTER_KEY = "master.key"
SHORTEST_TOKEN = 20

# Every permission (specification of the data plane, 3; decisions 8).
SCOPES = ("AI Gateway Read", "AI Gateway Metadata Read", "AI Gateway Write", "AI Gateway Run", "Workers AI Read")

_LETTERS = string.ascii_letters + string.digits


class StartError(Exception):
    """A setting or a file that the start depends on is not usable; the message names it."""


class Start(msgspec.Struct, frozen=True):
    """What a start found or made. ``token`` is the plain token, only when this start made it up.

    ``store`` holds the right to write to the database: close it when the process ends.
    """

    store: schema.Store
    accounts: tuple[str, ...]
    tokens: Mapping[bytes, Token]  # by SHA-256 of the token
    first: bool
    token: str | None
    master_key: bytes


def prepare(
    data_dir: Path, *, database_url: str | None = None, account_id: str | None = None, api_token: str | None = None
) -> Start:
    """Makes what is missing and opens the store.

    ``account_id`` and ``api_token`` are PENSTOCK_ACCOUNT_ID and PENSTOCK_API_TOKEN. They are honoured at every
    start: an account or a token that is not there yet is added, and what was there stays valid, so that a changed
    environment never locks anybody out. Raises StartError and StoreUnavailable.
    """
    _check(account_id, api_token)
    _make_data_dir(data_dir)
    store = schema.open_store(database_url or database.default_url(data_dir))
    try:
        master_key = _master_key(data_dir / MASTER_KEY)
        # The credentials file is written before this commits: a crash between must not lose the only token.
        with database.transaction(store.file) as connection:
            first = not accounts.list_accounts(connection)
            made = _ensure(connection, data_dir, account_id, api_token, first=first)
            known = accounts.list_accounts(connection)
            tokens = MappingProxyType({token.hash: token for token in accounts.list_tokens(connection)})
    except BaseException:
        store.close()
        raise
    return Start(store=store, accounts=known, tokens=tokens, first=first, token=made, master_key=master_key)


def new_token() -> str:
    """A random token: ``pst_``, 40 letters and digits, and their CRC-32 (8 hex), so that scanners can tell a typo."""
    body = "pst_" + "".join(secrets.choice(_LETTERS) for _ in range(40))
    return body + f"{zlib.crc32(body.encode()):08x}"


def digest(token: str) -> bytes:
    """What is stored of a token, and looked up."""
    return hashlib.sha256(token.encode()).digest()


def _check(account_id: str | None, api_token: str | None) -> None:
    if account_id is not None and not re.fullmatch(r"[0-9a-f]{32}", account_id):
        raise StartError("PENSTOCK_ACCOUNT_ID must be 32 hexadecimal digits in lower case.")
    if api_token is not None and (len(api_token) < SHORTEST_TOKEN or not re.fullmatch(r"[\x21-\x7e]+", api_token)):
        raise StartError(
            f"PENSTOCK_API_TOKEN must have at least {SHORTEST_TOKEN} characters, all visible ASCII without spaces."
        )


def _make_data_dir(data_dir: Path) -> None:
    """Made for this user alone; one that exists keeps its mode, and each file in it is private by itself."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StartError(f"PENSTOCK_DATA_DIR: {data_dir} cannot be used: {error}") from error


def _master_key(file: Path) -> bytes:
    """32 random bytes, made once."""
    if not file.exists():
        _write_private(file, secrets.token_bytes(32))
    key = file.read_bytes()
    if len(key) != 32:  # noqa: PLR2004
        raise StartError(f"{file} is damaged: it must hold 32 bytes. Restore it from a backup.")
    return key


def _ensure(
    connection: database.Connection, data_dir: Path, account_id: str | None, api_token: str | None, *, first: bool
) -> str | None:
    """Adds account and token where they are missing; returns the token if it was made up."""
    now = time.time_ns() // 1_000_000
    known = accounts.list_accounts(connection)
    account = account_id or (known[0] if known else secrets.token_hex(16))
    if account not in known:
        accounts.add_account(connection, account, now)
    made = new_token() if first and api_token is None else None
    token = made or api_token
    if token is not None and not any(t.hash == digest(token) for t in accounts.list_tokens(connection)):
        name = "first start" if made else "PENSTOCK_API_TOKEN"
        row = Token(secrets.token_hex(16), account, digest(token), name, SCOPES, now)
        accounts.add_token(connection, row)
    if first and (made or account_id is None):
        _write_credentials(data_dir / CREDENTIALS, account, made)
    return made


def _write_credentials(file: Path, account: str, token: str | None) -> None:
    """What was made up here; a token that came from the environment is not copied to the disk."""
    lines = [f"PENSTOCK_ACCOUNT_ID={account}\n"] + ([f"PENSTOCK_API_TOKEN={token}\n"] if token else [])
    _write_private(file, "".join(lines).encode())


def _write_private(file: Path, data: bytes) -> None:
    """Whole or not at all, readable by this user alone, on the disk before this returns."""
    draft = file.with_name(file.name + ".new")
    try:
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(file)
    except OSError as error:
        raise StartError(f"{file} cannot be written: {error}") from error
