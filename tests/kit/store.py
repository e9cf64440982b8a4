"""A store of a test's own: the newest schema, an account, and the gateways and tokens that the test names."""

import secrets as randomness
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from penstock.app import Place
from penstock.control.first_start import Start, prepare
from penstock.control.gateways.compile_settings import key_place
from penstock.core import instants, secrets
from penstock.core.sealing import Vault
from penstock.model.credential import StoredKey
from penstock.model.token import SCOPES, Token
from penstock.storage import accounts, configuration, gateways, opening, provider_keys, tokens
from penstock.storage.engine import Database
from penstock.storage.provider_keys import KeyRow
from tests.kit.databases import sqlite_in

ACCOUNT = "0123456789abcdef0123456789abcdef"
MASTER_KEY = bytes(range(32))
SECRET = "pst_for_tests_alone_0123456789"
OPEN: Mapping[str, Any] = {
    "authentication": False,
    "cache_invalidate_on_update": False,
    "cache_ttl": 0,
    "collect_logs": True,
    "rate_limiting_interval": 0,
    "rate_limiting_limit": 0,
}


def a_token(secret: str = SECRET, **fields: Any) -> Token:
    """A token of ACCOUNT with every scope; ``fields`` replace its values."""
    values: dict[str, Any] = {
        "id": secrets.digest(secret.encode()).hex()[:32],
        "account": ACCOUNT,
        "hash": secrets.digest(secret.encode()),
        "name": secret,
        "scopes": frozenset(SCOPES),
        "created_at": instants.now(),
    }
    return Token(**(values | fields))


async def furnish(
    folder: Path,
    gateway_settings: Mapping[str, Mapping[str, Any]],
    known: Iterable[Token],
    more: Iterable[str] = (),
    *,
    keys: Iterable[StoredKey] = (),
    url: str | None = None,
) -> Place:
    """A database in ``folder`` with ACCOUNT and ``more`` accounts; each gateway of ACCOUNT as OPEN with its changes.

    ``keys`` are stored for each of these gateways. ``url``: an empty database of the newest schema that is used
    instead, as ``testing.databases`` makes them.
    """
    if url is None:
        url = sqlite_in(folder)
    now = instants.now()
    _add_accounts(url, (ACCOUNT, *more), now)
    store = Database(url)
    async with store.writing() as connection:
        version = await configuration.raise_version(connection)
        for name, changes in gateway_settings.items():
            row = await gateways.insert(connection, ACCOUNT, name, dict(OPEN) | dict(changes), now, version)
            for key in keys:
                await provider_keys.add(connection, _stored(row.number, key, now))
        for token in known:
            await tokens.add(connection, token, version)
    await store.close()
    return Place(url, (MASTER_KEY,))


def first_started(folder: Path, **given: Any) -> Start:
    """What a first start leaves in ``folder``, in a database whose tables are copied. ``given``: as to ``prepare``."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    sqlite_in(folder)
    return prepare(folder, **given)


def _stored(number: int, key: StoredKey, now: int) -> KeyRow:
    place = key_place(ACCOUNT, number, key.provider, key.alias)
    return KeyRow(
        randomness.token_hex(16),
        number,
        key.provider,
        key.alias,
        key.default,
        Vault(MASTER_KEY).seal(key.secret, *place),
        "",
        "",
        key.rate_limit,
        key.rate_limit_period,
        key.generation,
        now,
        now,
    )


def _add_accounts(url: str, names: Iterable[str], now: int) -> None:
    with closing(opening.connect(url)) as connection, connection.transaction():
        for account in names:
            accounts.add_account(connection, account, now)
