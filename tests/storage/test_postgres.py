"""What PostgreSQL has beside what either engine promises: it may go and come back while we live."""

import signal
import socket
import threading
from contextlib import closing
from typing import Any

import pytest

from penstock.storage import opening
from penstock.storage.errors import StoreRefused, StoreUnavailable
from penstock.storage.postgres import PostgresConnection
from tests.kit.databases import await_server

END_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid != pg_backend_pid()
"""


@pytest.fixture
def two(shared: str):
    one, other = opening.connect(shared), opening.connect(shared)
    one.execute("CREATE TABLE words (id INTEGER PRIMARY KEY)")
    yield one, other
    one.close()
    other.close()


def numbers(sql):
    return [number for (number,) in sql.execute("SELECT id FROM words ORDER BY id")]


def test_a_connection_that_ended_while_nobody_used_it_is_opened_again(two):
    one, other = two
    other.execute(END_OTHERS)
    assert numbers(one) == []
    other.execute(END_OTHERS)
    with one.transaction():
        one.execute("INSERT INTO words VALUES (1)")
    other.execute(END_OTHERS)
    with one.view():
        assert numbers(one) == [1]
    assert one.opened == 4


def test_a_transaction_whose_connection_is_lost_fails_as_a_whole(two):
    one, other = two
    with pytest.raises(StoreUnavailable), one.transaction():
        one.execute("INSERT INTO words VALUES (1)")
        other.execute(END_OTHERS)
        with pytest.raises(StoreUnavailable):
            one.execute("INSERT INTO words VALUES (2)")
        one.execute("INSERT INTO words VALUES (3)")  # not on a new connection, without the first two
    assert numbers(one) == []
    with one.transaction():
        one.execute("INSERT INTO words VALUES (4)")
    assert numbers(other) == [4]


def test_a_server_that_goes_and_comes_back_is_used_again(away):
    url, server = away
    with closing(opening.connect(url)) as sql:
        sql.execute("CREATE TABLE words (id INTEGER PRIMARY KEY)")
        server.stop()
        for _ in range(2):
            with pytest.raises(StoreUnavailable) as refused:
                numbers(sql)
            assert not isinstance(refused.value, StoreRefused)
            with pytest.raises(StoreUnavailable), sql.transaction():
                raise AssertionError
        server.start()
        await_server(server.url)
        with sql.transaction():
            sql.execute("INSERT INTO words VALUES (1)")
        assert numbers(sql) == [1]


def test_a_statement_that_waits_too_long_is_given_up(two, shared: str):
    one, _ = two
    hasty = PostgresConnection(shared, statement=0.2)
    with one.transaction():
        one.execute("LOCK TABLE words")
        for _ in range(2):
            with pytest.raises(StoreUnavailable), hasty.transaction():
                hasty.execute("INSERT INTO words VALUES (1)")
    assert numbers(hasty) == []
    hasty.close()


def test_what_somebody_must_mend_is_told_from_what_may_pass(shared: str):
    address = shared.rpartition("/")[0]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    lasting = (f"{address}/there_is_none", "postgresql://penstock@127.0.0.1:none/x", f"{shared}?sslmode=perhaps")
    for url in (*lasting, f"postgresql://penstock@127.0.0.1:{port}/x"):
        with closing(opening.connect(url)) as sql, pytest.raises(StoreUnavailable) as refused:
            sql.execute("SELECT 1")
        assert isinstance(refused.value, StoreRefused) is (url in lasting)


def test_no_error_holds_the_password(shared: str):
    url = f"postgresql://nobody:secret-word@{shared.partition('@')[2]}"
    with closing(opening.connect(url)) as sql, pytest.raises(StoreRefused) as refused:
        sql.execute("SELECT 1")
    assert "secret-word" not in refused.value.message


async def test_it_works_in_a_thread_that_runs_a_loop(two):
    one, _ = two
    with one.transaction():
        one.execute("INSERT INTO words VALUES (1)")
    assert numbers(one) == [1]


def test_to_close_it_ends_its_connection(shared: str):
    one, other = opening.connect(shared), opening.connect(shared)
    sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    one.execute("SELECT 1")
    assert other.execute(sql) == [(2,)]
    one.close()
    pause = threading.Event()
    while other.execute(sql) != [(1,)]:  # the server takes a moment
        pause.wait(0.01)
    other.close()
    opening.connect(shared).close()  # one that was never opened


def test_ctrl_c_ends_a_statement_as_ctrl_c_whenever_it_comes(shared: str, monkeypatch: pytest.MonkeyPatch):
    install = signal.signal

    def install_and_strike(number: int, handler: Any) -> Any:
        before = install(number, handler)
        if handler is not signal.default_int_handler:
            signal.raise_signal(number)  # before the runner of the loop has forgotten those of its last task
        return before

    before = install(signal.SIGINT, signal.default_int_handler)
    try:
        with closing(opening.connect(shared)) as connection:
            with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
                patched.setattr(signal, "signal", install_and_strike)
                connection.execute("SELECT 1")
            assert connection.execute("SELECT 1") == [(1,)]
    finally:
        install(signal.SIGINT, before)
