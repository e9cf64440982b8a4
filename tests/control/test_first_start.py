import asyncio
import hashlib
import logging
import os
import re
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from penstock.control.first_start import StartError, prepare
from penstock.model.token import SCOPES, Token
from penstock.storage import configuration, tokens
from penstock.storage.announcements import Announcements
from penstock.storage.engine import Database
from penstock.storage.errors import StoreUnavailable
from tests.kit.databases import KINDS, SERVER, database_of, postgres_on

ACCOUNT = "0123456789abcdef" * 2
TOKEN = "a-token-of-the-operators-own-making"
KEY, OTHER_KEY = "0f" * 32, "f0" * 32


def credentials(data_dir: Path) -> dict[str, str]:
    lines = (data_dir / "credentials.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def stored(data_dir: Path) -> dict[bytes, Token]:
    """The tokens that hold, by their SHA-256."""

    async def read() -> list[Token]:
        database = Database(f"sqlite:///{data_dir / 'penstock.db'}")
        async with database.reading() as connection:
            live, _ = await tokens.changed_since(connection, 0)
        await database.close()
        return live

    return {token.hash: token for token in asyncio.run(read())}


def revoke(data_dir: Path, token: Token) -> None:
    async def write() -> None:
        database = Database(f"sqlite:///{data_dir / 'penstock.db'}")
        async with database.writing() as connection:
            version = await configuration.raise_version(connection)
            assert await tokens.revoke(connection, token.account, token.id, 1, version)
        await database.close()

    asyncio.run(write())


def test_the_first_start_makes_an_account_and_a_token_with_every_permission(tmp_path: Path):
    start = prepare(tmp_path / "data", email="me@example.com")
    start.store.close()
    assert start.first
    assert start.token is not None
    assert re.fullmatch(r"pst_[A-Za-z0-9]{40}[0-9a-f]{8}", start.token)
    assert int(start.token[-8:], 16) == zlib.crc32(start.token[:-8].encode())
    (account,) = start.accounts
    assert re.fullmatch(r"[0-9a-f]{32}", account)
    (token,) = stored(tmp_path / "data").values()
    assert (token.account, token.email) == (account, "me@example.com")
    assert token.scopes == frozenset(SCOPES)
    assert token.hash == hashlib.sha256(start.token.encode()).digest()
    assert credentials(tmp_path / "data") == {
        "PENSTOCK_ACCOUNT_ID": account,
        "PENSTOCK_API_TOKEN": start.token,
        "PENSTOCK_ADMIN_EMAIL": "me@example.com",
    }


def test_everything_is_private(tmp_path: Path):
    prepare(tmp_path / "data").store.close()
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "data").iterdir()} == {0o600}
    assert len((tmp_path / "data" / "master.key").read_bytes()) == 32


def test_the_token_is_in_the_credentials_file_and_nowhere_else(tmp_path: Path):
    start = prepare(tmp_path)
    start.store.close()
    assert start.token is not None
    holders = [file.name for file in tmp_path.iterdir() if start.token.encode() in file.read_bytes()]
    assert holders == ["credentials.env"]


def test_later_starts_find_the_same_and_say_nothing(tmp_path: Path):
    one = prepare(tmp_path)
    one.store.close()
    made = stored(tmp_path)
    two = prepare(tmp_path)
    two.store.close()
    assert (two.first, two.token) == (False, None)
    assert (two.accounts, two.master_keys) == (one.accounts, one.master_keys)
    assert stored(tmp_path) == made


def test_the_environment_sets_account_and_token_and_is_not_copied_to_the_disk(tmp_path: Path):
    start = prepare(tmp_path, account_id=ACCOUNT, api_token=TOKEN)
    start.store.close()
    assert (start.first, start.token, start.accounts) == (True, None, (ACCOUNT,))
    assert set(stored(tmp_path)) == {hashlib.sha256(TOKEN.encode()).digest()}
    assert not (tmp_path / "credentials.env").exists()
    prepare(tmp_path, account_id=ACCOUNT, api_token=TOKEN).store.close()
    prepare(tmp_path).store.close()
    assert len(stored(tmp_path)) == 1


def test_a_given_token_with_a_random_account_leaves_the_account_to_read(tmp_path: Path):
    start = prepare(tmp_path, api_token=TOKEN)
    start.store.close()
    assert credentials(tmp_path) == {"PENSTOCK_ACCOUNT_ID": start.accounts[0]}


def test_a_given_account_gets_a_random_token(tmp_path: Path):
    start = prepare(tmp_path, account_id=ACCOUNT)
    start.store.close()
    made = credentials(tmp_path)
    assert (made["PENSTOCK_ACCOUNT_ID"], made["PENSTOCK_API_TOKEN"]) == (ACCOUNT, start.token)


def test_another_token_in_the_environment_later_is_added_and_the_old_one_stays(tmp_path: Path):
    one = prepare(tmp_path)
    one.store.close()
    before = stored(tmp_path)
    two = prepare(tmp_path, api_token=TOKEN)
    two.store.close()
    after = stored(tmp_path)
    assert two.token is None
    assert set(after) == set(before) | {hashlib.sha256(TOKEN.encode()).digest()}
    assert {token.account for token in after.values()} == set(one.accounts)


def test_a_revoked_token_in_the_environment_stays_revoked(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    prepare(tmp_path, api_token=TOKEN).store.close()
    (token,) = stored(tmp_path).values()
    revoke(tmp_path, token)
    with caplog.at_level(logging.WARNING, "penstock"):
        prepare(tmp_path, api_token=TOKEN).store.close()
    assert stored(tmp_path) == {}
    assert "was revoked" in caplog.text
    assert TOKEN not in caplog.text


def test_a_token_of_another_account_in_the_environment_stays_there(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    one = prepare(tmp_path, api_token=TOKEN)
    one.store.close()
    with caplog.at_level(logging.WARNING, "penstock"):
        prepare(tmp_path, account_id=ACCOUNT, api_token=TOKEN).store.close()
    assert {token.account for token in stored(tmp_path).values()} == set(one.accounts)
    assert one.accounts[0] in caplog.text


def test_another_account_in_the_environment_later_is_added(tmp_path: Path):
    one = prepare(tmp_path)
    one.store.close()
    two = prepare(tmp_path, account_id=ACCOUNT, api_token=TOKEN)
    two.store.close()
    assert two.accounts == (*one.accounts, ACCOUNT)
    assert stored(tmp_path)[hashlib.sha256(TOKEN.encode()).digest()].account == ACCOUNT


@pytest.mark.parametrize("account", ["", "abc", ACCOUNT.upper(), "g" * 32, ACCOUNT + "\n"])
def test_an_account_that_is_none_is_refused_by_the_name_of_the_variable(tmp_path: Path, account: str):
    with pytest.raises(StartError, match="PENSTOCK_ACCOUNT_ID"):
        prepare(tmp_path / "data", account_id=account)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("token", ["", "x" * 19, "twenty characters and more", "é" * 30])
def test_a_token_that_is_none_is_refused_without_repeating_it(tmp_path: Path, token: str):
    with pytest.raises(StartError, match="PENSTOCK_API_TOKEN") as refused:
        prepare(tmp_path / "data", api_token=token)
    assert not token or token not in str(refused.value)


def test_a_second_process_on_the_same_data_is_refused(tmp_path: Path):
    start = prepare(tmp_path)
    with pytest.raises(StoreUnavailable, match="--data-dir"):
        prepare(tmp_path)
    start.store.close()


def test_a_damaged_master_key_is_refused(tmp_path: Path):
    prepare(tmp_path).store.close()
    (tmp_path / "master.key").write_bytes(b"short")
    with pytest.raises(StartError, match=r"master\.key"):
        prepare(tmp_path)
    (tmp_path / "master.key").unlink()
    with pytest.raises(StartError, match=r"master\.key is missing"):  # and not "in use": the refusal gave it back
        prepare(tmp_path)


def test_a_new_master_key_is_made_where_the_previous_one_opens_the_database(tmp_path: Path):
    first = prepare(tmp_path)
    first.store.close()
    (tmp_path / "master.key").rename(tmp_path / "master.key.previous")
    second = prepare(tmp_path)
    second.store.close()
    assert second.master_keys[1:] == first.master_keys
    assert (tmp_path / "master.key").read_bytes() == second.master_keys[0] != first.master_keys[0]
    assert (tmp_path / "master.key").stat().st_mode & 0o777 == 0o600


def test_a_missing_master_key_is_not_made_anew_beside_a_wrong_previous_one(tmp_path: Path):
    prepare(tmp_path).store.close()
    (tmp_path / "master.key").rename(tmp_path / "kept")
    (tmp_path / "master.key.previous").write_bytes(bytes(32))
    with pytest.raises(StartError, match=r"master\.key is missing"):
        prepare(tmp_path)
    assert not (tmp_path / "master.key").exists()


def test_a_previous_master_key_that_is_the_master_key_is_refused(tmp_path: Path):
    with pytest.raises(StartError, match="are the same"):
        prepare(tmp_path, master_key=KEY, master_key_previous=KEY)


def test_a_data_directory_that_cannot_be_is_refused(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StartError, match="PENSTOCK_DATA_DIR"):
        prepare(tmp_path / "file")


def test_the_database_may_be_elsewhere(tmp_path: Path):
    start = prepare(tmp_path / "data", database_url=f"sqlite:///{tmp_path / 'other.db'}")
    start.store.close()
    assert (tmp_path / "other.db").exists()
    assert not (tmp_path / "data" / "penstock.db").exists()


# The master key


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with database_of(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[str]:
    with database_of("postgresql", tmp_path) as made:
        yield made


def test_a_key_that_is_given_goes_before_a_file_and_none_is_made(tmp_path: Path, url: str):
    for _ in range(2):
        start = prepare(tmp_path / "data", database_url=url, master_key=KEY)
        start.store.close()
        assert start.master_keys == (bytes.fromhex(KEY),)
    assert not (tmp_path / "data" / "master.key").exists()


def test_another_key_than_the_one_that_sealed_is_refused(tmp_path: Path, url: str):
    prepare(tmp_path / "data", database_url=url, master_key=KEY).store.close()
    with pytest.raises(StartError, match="not the one that sealed this database's secrets") as refused:
        prepare(tmp_path / "data", database_url=url, master_key=OTHER_KEY)
    assert KEY not in str(refused.value)
    assert OTHER_KEY not in str(refused.value)
    prepare(tmp_path / "data", database_url=url, master_key=KEY.upper()).store.close()


def test_postgresql_needs_a_key(tmp_path: Path, shared: str):
    with pytest.raises(StartError, match="PENSTOCK_MASTER_KEY"):
        prepare(tmp_path, database_url=shared)


# PostgreSQL


def test_with_account_and_token_given_nothing_is_written_to_the_disk(tmp_path: Path, shared: str):
    start = prepare(tmp_path / "data", database_url=shared, account_id=ACCOUNT, api_token=TOKEN, master_key=KEY)
    assert (start.first, start.token, start.accounts) == (True, None, (ACCOUNT,))
    assert not (tmp_path / "data").exists()


def test_what_is_made_up_is_kept_as_on_a_file(tmp_path: Path, shared: str):
    start = prepare(tmp_path / "data", database_url=shared, master_key=KEY, email="me@example.com")
    assert credentials(tmp_path / "data") == {
        "PENSTOCK_ACCOUNT_ID": start.accounts[0],
        "PENSTOCK_API_TOKEN": start.token,
        "PENSTOCK_ADMIN_EMAIL": "me@example.com",
    }
    assert not (tmp_path / "data" / "master.key").exists()


def test_of_several_servers_that_start_at_once_one_is_the_first(tmp_path: Path):
    with postgres_on(os.environ[SERVER], migrated=False) as url, ThreadPoolExecutor(4) as servers:
        asked = [
            servers.submit(prepare, tmp_path / str(number), database_url=url, master_key=KEY) for number in range(4)
        ]
        starts = [one.result() for one in asked]
    assert sorted(start.first for start in starts) == [False, False, False, True]
    assert len({start.accounts for start in starts}) == 1
    (made,) = [start for start in starts if start.token]
    assert [folder.name for folder in tmp_path.iterdir() if (folder / "credentials.env").exists()] == [
        str(starts.index(made))
    ]


async def test_a_token_that_a_start_adds_is_news_to_the_servers_that_run(shared: str):
    given: dict[str, Any] = {"database_url": shared, "account_id": ACCOUNT, "master_key": KEY}
    prepare(Path("none"), **given, api_token=TOKEN)
    database, heard = Database(shared), asyncio.Queue[None]()
    listening = asyncio.ensure_future(Announcements(shared).listen(lambda: heard.put_nowait(None)))
    await heard.get()
    async with database.reading() as connection:
        before = await configuration.version(connection)
    prepare(Path("none"), **given, api_token=f"another-{TOKEN}")
    await heard.get()
    async with database.reading() as connection:
        (new,), _ = await tokens.changed_since(connection, before)
        assert new.hash == hashlib.sha256(f"another-{TOKEN}".encode()).digest()
    prepare(Path("none"), **given, api_token=TOKEN)
    async with database.reading() as connection:
        assert await configuration.version(connection) == before + 1  # nothing was new
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await database.close()
