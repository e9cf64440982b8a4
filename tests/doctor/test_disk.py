"""Room, and who may read what is secret."""

import os
from pathlib import Path

import pytest

from penstock.control.first_start import prepare
from penstock.doctor import disk

GB = 1_000_000_000


@pytest.mark.parametrize(
    ("size", "files", "level"),
    [
        (50 * GB, 10_000, "ok"),
        (50 * GB, -1, "ok"),
        (GB // 2, 10_000, "warning"),
        (GB // 20, 10_000, "problem"),
        (GB * 9, 5, "warning"),
    ],
)
def test_little_room_is_told_before_there_is_none(size, files, level):
    found = disk.room("data_dir", Path("/data"), size, files)
    assert (found.level, bool(found.remedy)) == (level, level != "ok")


def test_the_disk_of_a_directory_that_is_not_there_yet_is_the_one_above(subject, tmp_path, levels):
    ((_, text), *_) = levels(disk.check(subject(data_dir=tmp_path / "not" / "yet")))
    assert str(tmp_path) in text
    assert "GB are free" in text


def test_with_postgres_the_room_is_that_of_its_server(subject, levels):
    asked = subject(database_url="postgresql://127.0.0.1/penstock", master_key="5a" * 32, data_dir="/not/here")
    ((level, text),) = levels(disk.check(asked))
    assert (level, "PostgreSQL alone" in text) == ("ok", True)


def test_what_a_start_makes_is_for_its_owner_alone(subject, data_dir, levels):
    prepare(data_dir).store.close()
    assert ("ok", f"Keys, tokens and log in {data_dir} are for their owner alone.") in levels(disk.check(subject()))


@pytest.mark.parametrize("name", ["master.key", "credentials.env", "penstock.db"])
def test_a_secret_that_others_may_read_is_a_problem(subject, data_dir, name):
    prepare(data_dir).store.close()
    (data_dir / name).chmod(0o644)
    (found,) = [one for one in disk.check(subject()) if one.check == "permissions"]
    assert (found.level, f"{data_dir / name} can be read by others" in found.text) == ("problem", True)
    assert f"chmod 600 {data_dir / name}" in found.remedy


def test_a_file_of_somebody_else_is_a_warning(subject, data_dir):
    prepare(data_dir).store.close()
    key = data_dir / "master.key"
    if os.geteuid() == 0:
        os.chown(key, 12345, -1)
    else:  # only root may give files away; anybody may point at one of root's
        key.unlink()
        key.symlink_to("/etc/passwd")
    found = [one for one in disk.check(subject()) if "different owners" in one.text]
    assert [(one.level, one.remedy) for one in found] == [("warning", f"chown {os.geteuid()} {key}")]


def test_a_data_directory_that_is_a_file_is_a_problem(subject, tmp_path):
    (tmp_path / "data").write_text("")
    assert ("problem", f"data_dir {tmp_path / 'data'} is no directory.") in [
        (one.level, one.text) for one in disk.check(subject())
    ]


def test_a_configuration_file_with_secrets_for_everybody_is_a_warning(subject):
    asked = subject(config='api_token = "a-token-that-is-long-enough"\n')
    asked.settings.config.chmod(0o644)
    (found,) = [one for one in disk.permissions(asked.settings) if one.level == "warning"]
    assert "api_token" in found.text
    assert "a-token" not in repr(found)
    asked.settings.config.chmod(0o640)
    assert list(disk.permissions(asked.settings)) == []
