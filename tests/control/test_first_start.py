import hashlib
import re
import zlib
from pathlib import Path

import pytest

from penstock.control import first_start
from penstock.control.first_start import StartError, prepare
from penstock.storage.errors import StoreUnavailable

ACCOUNT = "0123456789abcdef" * 2
TOKEN = "a-token-of-the-operators-own-making"


def credentials(data_dir: Path) -> dict[str, str]:
    lines = (data_dir / "credentials.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_the_first_start_makes_an_account_and_a_token_with_every_permission(tmp_path: Path):
    start = prepare(tmp_path / "data")
    start.store.close()
    assert start.first
    assert start.token is not None
    assert re.fullmatch(r"pst_[A-Za-z0-9]{40}[0-9a-f]{8}", start.token)
    assert int(start.token[-8:], 16) == zlib.crc32(start.token[:-8].encode())
    (account,) = start.accounts
    assert re.fullmatch(r"[0-9a-f]{32}", account)
    (token,) = start.tokens.values()
    assert token.account == account
    assert token.scopes == first_start.SCOPES
    assert start.tokens[hashlib.sha256(start.token.encode()).digest()] is token
    assert credentials(tmp_path / "data") == {"PENSTOCK_ACCOUNT_ID": account, "PENSTOCK_API_TOKEN": start.token}


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
    two = prepare(tmp_path)
    two.store.close()
    assert (two.first, two.token) == (False, None)
    assert (two.accounts, dict(two.tokens), two.master_key) == (one.accounts, dict(one.tokens), one.master_key)


def test_the_environment_sets_account_and_token_and_is_not_copied_to_the_disk(tmp_path: Path):
    start = prepare(tmp_path, account_id=ACCOUNT, api_token=TOKEN)
    start.store.close()
    assert (start.first, start.token, start.accounts) == (True, None, (ACCOUNT,))
    assert set(start.tokens) == {hashlib.sha256(TOKEN.encode()).digest()}
    assert not (tmp_path / "credentials.env").exists()
    prepare(tmp_path, account_id=ACCOUNT, api_token=TOKEN).store.close()
    again = prepare(tmp_path)
    again.store.close()
    assert len(again.tokens) == 1


def test_a_given_token_with_a_random_account_leaves_the_account_to_read(tmp_path: Path):
    start = prepare(tmp_path, api_token=TOKEN)
    start.store.close()
    assert credentials(tmp_path) == {"PENSTOCK_ACCOUNT_ID": start.accounts[0]}


def test_a_given_account_gets_a_random_token(tmp_path: Path):
    start = prepare(tmp_path, account_id=ACCOUNT)
    start.store.close()
    assert credentials(tmp_path) == {"PENSTOCK_ACCOUNT_ID": ACCOUNT, "PENSTOCK_API_TOKEN": start.token}


def test_another_token_in_the_environment_later_is_added_and_the_old_one_stays(tmp_path: Path):
    one = prepare(tmp_path)
    one.store.close()
    two = prepare(tmp_path, api_token=TOKEN)
    two.store.close()
    assert two.token is None
    assert set(two.tokens) == set(one.tokens) | {hashlib.sha256(TOKEN.encode()).digest()}
    assert {token.account for token in two.tokens.values()} == set(one.accounts)


def test_another_account_in_the_environment_later_is_added(tmp_path: Path):
    one = prepare(tmp_path)
    one.store.close()
    two = prepare(tmp_path, account_id=ACCOUNT, api_token=TOKEN)
    two.store.close()
    assert two.accounts == (*one.accounts, ACCOUNT)
    assert two.tokens[hashlib.sha256(TOKEN.encode()).digest()].account == ACCOUNT


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
    prepare(tmp_path).store.close()  # the refusal gave the store back


def test_a_data_directory_that_cannot_be_is_refused(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StartError, match="PENSTOCK_DATA_DIR"):
        prepare(tmp_path / "file")


def test_the_database_may_be_elsewhere(tmp_path: Path):
    start = prepare(tmp_path / "data", database_url=f"sqlite:///{tmp_path / 'other.db'}")
    start.store.close()
    assert (tmp_path / "other.db").exists()
    assert not (tmp_path / "data" / "penstock.db").exists()
