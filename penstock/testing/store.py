"""A store of a test's own: the newest schema, an account, and the gateways and tokens that the test names."""

import shutil
import tempfile
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from penstock.app import Place
from penstock.core import instants, secrets
from penstock.model.token import SCOPES, Token
from penstock.storage import accounts, configuration, database, gateways, schema, tokens
from penstock.storage.engine import Database

ACCOUNT = "0123456789abcdef0123456789abcdef"
MASTER_KEY = bytes(range(32))
SECRET = "pst_for_tests_alone_0123456789"  # noqa: S105  of the token that may do everything, in tests
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
    folder: Path, gateway_settings: Mapping[str, Mapping[str, Any]], known: Iterable[Token], more: Iterable[str] = ()
) -> Place:
    """A database in ``folder`` with ACCOUNT and ``more`` accounts; each gateway of ACCOUNT as OPEN with its changes."""
    file = folder / database.FILE
    shutil.copyfile(_template(), file)
    now = instants.now()
    with database.transaction(file) as connection:
        for account in (ACCOUNT, *more):
            accounts.add_account(connection, account, now)
    store = Database(f"sqlite:///{file}")
    async with store.writing() as connection:
        version = await configuration.raise_version(connection)
        for name, changes in gateway_settings.items():
            await gateways.insert(connection, ACCOUNT, name, dict(OPEN) | dict(changes), now, version)
        for token in known:
            await tokens.add(connection, token, version)
    await store.close()
    return Place(f"sqlite:///{file}", MASTER_KEY)


@lru_cache(1)
def _template() -> Path:
    """Migrated once a process: Alembic takes half a second."""
    file = Path(tempfile.mkdtemp(prefix="penstock-test-")) / database.FILE
    schema.upgrade(file)
    return file
