"""What must exist before the first call: the data directory, the store, one account, one token, the master key.

The first start makes them and says the token once; later starts read them and say nothing secret.
"""

import os
import re
import secrets as randomness
from contextlib import closing
from pathlib import Path

import msgspec

from penstock.control import master_key as master_keys
from penstock.control.sessions import link as links
from penstock.core import instants, secrets
from penstock.core.logs import log
from penstock.core.sealing import NotOpened, Vault
from penstock.model.token import SCOPES, Token
from penstock.storage import accounts, health, opening, schema
from penstock.storage.sql import Sql

CREDENTIALS = "credentials.env"
SHORTEST_TOKEN = 20


class StartError(Exception):
    """A setting or a file that the start depends on is not usable; the message names it."""


class Start(msgspec.Struct, frozen=True):
    """What a start found or made. ``token`` is the plain token, only when this start made it up.

    ``link`` signs in to the dashboard once, where this start made up the token or was asked for one.
    ``store`` holds the right to write to the database: close it when the process ends. ``master_keys``: the one that
    seals first.
    """

    store: schema.Store
    accounts: tuple[str, ...]
    first: bool
    token: str | None
    master_keys: tuple[bytes, ...]
    link: str = ""


def prepare(
    data_dir: Path,
    *,
    database_url: str | None = None,
    account_id: str | None = None,
    api_token: str | None = None,
    email: str = "",
    master_key: str = "",
    master_key_previous: str = "",
    link: bool = False,
) -> Start:
    """Makes what is missing and opens the store.

    ``account_id`` and ``api_token`` are PENSTOCK_ACCOUNT_ID and PENSTOCK_API_TOKEN. They are honoured at every
    start: an account or a token that is not there yet is added, and what was there stays valid, so that a changed
    environment never locks anybody out; a token that was revoked stays revoked. ``email`` is stored with a token made
    here. ``master_key`` (64 hex) goes before the one in the data directory; with PostgreSQL it must be given, and the
    data directory is made only to keep credentials that are made up here. ``master_key_previous``, likewise, opens
    what the master key does not. ``link``: make one that signs in. Raises StartError and StoreUnavailable.

    Several servers of one PostgreSQL database may do this at the same time.
    """
    _check(account_id, api_token)
    url = database_url or opening.url_in(data_dir)
    if not opening.is_shared(url):
        _make_data_dir(data_dir)
    elif not master_key:
        raise StartError("PENSTOCK_MASTER_KEY is required with PostgreSQL, the same for every process.")
    store = schema.open_store(url)
    try:
        # The credentials file is written before this commits: a crash between must not lose the only token.
        with closing(opening.connect(store.url)) as connection, connection.transaction():
            check = accounts.hold(connection)
            keys = _master_keys(data_dir, master_key, master_key_previous, check)
            _check_keys(connection, check, keys)
            first = not accounts.list_accounts(connection)
            account = _account(connection, account_id)
            made = secrets.new() if first and api_token is None else None
            if token := made or api_token:
                _add_token(connection, account, token, "first start" if made else "PENSTOCK_API_TOKEN", email)
            if first and (made or account_id is None):
                _make_data_dir(data_dir)
                _write_credentials(data_dir / CREDENTIALS, account, made, email)
            known = accounts.list_accounts(connection)
            signs_in = _link(connection, Vault(*keys), account) if made or link else ""
    except BaseException:
        store.close()
        raise
    return Start(store=store, accounts=known, first=first, token=made, master_keys=keys, link=signs_in)


def _link(connection: Sql, vault: Vault, account: str) -> str:
    """Empty where no token may do everything."""
    token = accounts.operator_token(connection, account)
    return links.new(vault, account, token, instants.now()) if token else ""


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


def _master_keys(data_dir: Path, given: str, given_previous: str, check: str | None) -> tuple[bytes, ...]:
    """The one that seals first. That of the data directory is 32 random bytes, made where there is nothing yet that
    only it could open.
    """
    file = data_dir / master_keys.FILE
    try:
        previous = master_keys.read_previous(data_dir, given_previous)
        try:
            key = master_keys.read(data_dir, given)
        except FileNotFoundError:
            if check is not None and (previous is None or not _opens(check, previous)):
                raise StartError(
                    f"{file} is missing, and the database holds what was sealed with it: restore it."
                ) from None
            key = randomness.token_bytes(master_keys.LENGTH)
            _write_private(file, key)
        return master_keys.together(key, previous)
    except master_keys.Unusable as error:
        raise StartError(str(error)) from None


def _check_keys(connection: Sql, check: str | None, keys: tuple[bytes, ...]) -> None:
    """Secrets that were sealed with another key could never be opened again: better to know it now."""
    if check is None:
        accounts.set_key_check(connection, Vault(keys[0]).seal("penstock", *health.KEY_CHECK))
    elif not _opens(check, *keys):
        raise StartError(
            "The master key is not the one that sealed this database's secrets: give the one that this database was "
            f"last served with (PENSTOCK_MASTER_KEY, or {master_keys.FILE} in the data directory). While another takes "
            f"its place, give that one as well (PENSTOCK_MASTER_KEY_PREVIOUS, or {master_keys.PREVIOUS} there)."
        )
    elif not _opens(check, keys[0]):
        log.warning("secrets are sealed with the previous master key: `penstock keys rotate-master` seals them anew")


def _opens(check: str, *keys: bytes) -> bool:
    try:
        Vault(*keys).open(check, *health.KEY_CHECK)
    except NotOpened:
        return False
    return True


def _account(connection: Sql, wanted: str | None) -> str:
    """The account that a new token belongs to, made where it is missing."""
    known = accounts.list_accounts(connection)
    account = wanted or (known[0] if known else randomness.token_hex(16))
    if account not in known:
        accounts.add_account(connection, account, instants.now())
    return account


def _add_token(connection: Sql, account: str, token: str, name: str, email: str) -> None:
    digest = secrets.digest(token.encode())
    found = accounts.find_token(connection, digest)
    if found is None:
        row = Token(randomness.token_hex(16), account, digest, name, frozenset(SCOPES), instants.now(), email)
        accounts.add_token(connection, row)
        return
    owner, revoked = found
    if revoked:
        log.warning("PENSTOCK_API_TOKEN was revoked and opens nothing: give another, or take it out of the environment")
    elif owner != account:
        log.warning("PENSTOCK_API_TOKEN belongs to account %s, not to PENSTOCK_ACCOUNT_ID: give another token", owner)


def _write_credentials(file: Path, account: str, token: str | None, email: str) -> None:
    """What was made up here; a token that came from the environment is not copied to the disk."""
    lines = [f"PENSTOCK_ACCOUNT_ID={account}"]
    if token:
        lines += [f"PENSTOCK_API_TOKEN={token}", f"PENSTOCK_ADMIN_EMAIL={email}"]
    _write_private(file, "".join(f"{line}\n" for line in lines).encode())


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
