"""What a database says of itself, on both engines."""

import time
from contextlib import closing

import pytest

from penstock.storage import health, opening
from penstock.storage.errors import StoreUnavailable
from tests.kit.databases import KINDS, database_of


@pytest.fixture(params=KINDS)
def url(request, tmp_path):
    with database_of(request.param, tmp_path) as url:
        yield url


def test_a_database_says_what_it_is(url):
    with closing(opening.connect_reader(url)) as connection:
        name, version = health.version(connection).split(" ")
    assert name == ("PostgreSQL" if opening.is_shared(url) else "SQLite")
    assert version[0].isdigit()


def test_a_trial_of_writing_leaves_nothing_behind(url):
    with closing(opening.connect(url)) as connection:
        before = connection.execute("SELECT * FROM configuration")
        health.try_to_write(connection)
        assert connection.execute("SELECT * FROM configuration") == before
        assert not connection.has_table("penstock_trial")


def test_a_trial_of_writing_fails_where_nothing_can_be_written(url):
    with closing(opening.connect_reader(url)) as connection, pytest.raises(StoreUnavailable):
        health.try_to_write(connection)


def test_an_empty_database_can_be_tried_too(tmp_path):
    with closing(opening.connect(opening.url_in(tmp_path))) as connection:
        health.try_to_write(connection)
        assert not connection.has_table("penstock_trial")
        assert health.key_check(connection) is None


def test_nothing_is_sealed_before_the_first_start(url):
    with closing(opening.connect_reader(url)) as connection:
        assert health.key_check(connection) is None


def test_the_server_tells_the_time(tmp_path):
    with database_of("postgresql", tmp_path) as url, closing(opening.connect_reader(url)) as connection:
        assert abs(health.clock(connection) - time.time()) < 60
