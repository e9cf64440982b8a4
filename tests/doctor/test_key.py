"""The master key, against what it sealed."""

import secrets

import pytest

from penstock.control.first_start import prepare
from penstock.doctor import key


@pytest.fixture
def started(data_dir):
    """A data directory in which a server has started once."""
    prepare(data_dir).store.close()
    return data_dir


def test_the_key_that_sealed_the_database_is_good(subject, started, levels):
    ((level, text),) = levels(key.check(subject()))
    assert (level, "opens what is sealed" in text) == ("ok", True)


def test_before_the_first_start_there_need_be_no_key(subject, levels):
    assert levels(key.check(subject()))[0][0] == "ok"


def test_another_key_is_a_problem(subject, started, levels):
    (started / "master.key").write_bytes(secrets.token_bytes(32))
    ((level, text),) = levels(key.check(subject()))
    assert (level, "does not open" in text) == ("problem", True)
    ((level, text),) = levels(key.check(subject(master_key=secrets.token_hex(32))))
    assert (level, "does not open" in text) == ("problem", True)


def test_a_key_that_takes_the_place_of_another_is_told_what_to_do(subject, started, levels):
    (started / "master.key").rename(started / "master.key.previous")
    ((level, text),) = levels(key.check(subject()))
    assert (level, "next start makes" in text) == ("ok", True)
    prepare(started).store.close()
    (found,) = key.check(subject())
    assert (found.level, "rotate-master" in found.remedy) == ("warning", True)
    (started / "master.key.previous").write_bytes(secrets.token_bytes(32))
    assert levels(key.check(subject()))[0][0] == "problem"
    (started / "master.key.previous").write_bytes(b"short")
    ((level, text),) = levels(key.check(subject()))
    assert (level, "5 bytes instead of 32" in text) == ("problem", True)


def test_a_previous_key_that_is_not_needed_may_go(subject, started, levels):
    ((level, text),) = levels(key.check(subject(master_key_previous="5a" * 32)))
    assert (level, "previous key may go" in text) == ("ok", True)


def test_a_key_that_is_gone_is_a_problem(subject, started):
    (started / "master.key").unlink()
    (found,) = key.check(subject())
    assert (found.level, "is missing" in found.text, "backup" in found.remedy) == ("problem", True, True)


def test_a_key_that_is_damaged_is_a_problem(subject, started, levels):
    (started / "master.key").write_bytes(b"short")
    ((level, text),) = levels(key.check(subject()))
    assert (level, "5 bytes instead of 32" in text) == ("problem", True)


def test_the_key_of_a_postgres_database_is_tried_too(subject, data_dir, postgres, levels):
    right = secrets.token_hex(32)
    assert "nothing sealed yet" in levels(key.check(subject(database_url=postgres, master_key=right)))[0][1]
    prepare(data_dir, database_url=postgres, master_key=right).store.close()
    assert levels(key.check(subject(database_url=postgres, master_key=right)))[0][0] == "ok"
    assert levels(key.check(subject(database_url=postgres, master_key=secrets.token_hex(32))))[0][0] == "problem"


def test_a_database_that_is_away_leaves_the_key_untried(subject, closed_port, levels):
    asked = subject(database_url=f"postgresql://x@127.0.0.1:{closed_port}/x", master_key="5a" * 32)
    ((level, text),) = levels(key.check(asked))
    assert (level, "cannot be asked" in text) == ("ok", True)
