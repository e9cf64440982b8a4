"""A sender's records count once, also where two transactions that write them meet."""

import threading
from contextlib import closing

import pytest

from penstock.core import instants
from penstock.storage import opening
from penstock.storage.log import senders
from penstock.storage.log.senders import Moved, Position
from penstock.storage.sql import Sql


def test_a_position_moves_on_from_where_it_is_or_before(connection: Sql):
    position, other = Position(connection, b"one"), Position(connection, b"other")
    with pytest.raises(Moved), connection.transaction():
        position.move(7, 9)  # nothing is known of it yet
    assert position.reached(7) == 7
    with connection.transaction():
        position.move(7, 9)
    with pytest.raises(Moved), connection.transaction():
        position.move(8, 12)
    assert position.reached(8) == 9
    assert other.reached(0) == 0
    assert senders.positions(connection) == {b"one": 9, b"other": 0}
    with connection.transaction():
        position.move(11, 12)  # what lay between was no record
    assert position.reached(0) == 12


def test_what_is_not_committed_has_not_moved(connection: Sql):
    position = Position(connection, b"one")
    position.reached(0)
    with pytest.raises(KeyError), connection.transaction():
        position.move(0, 5)
        raise KeyError
    assert position.reached(0) == 0


def test_senders_that_ended_are_taken_out(connection: Sql):
    position = Position(connection, b"one")
    position.reached(5)
    senders.forget(connection, instants.now())
    assert position.reached(0) == 5
    senders.forget(connection, instants.now() + senders.KEPT + 60_000)
    assert position.reached(0) == 0


def test_the_next_writer_waits_for_what_the_last_one_is_just_committing(shared: str):
    with closing(opening.connect(shared)) as last, closing(opening.connect(shared)) as new:
        Position(last, b"one").reached(0)
        raised: list[BaseException] = []

        def write() -> None:
            try:
                with new.transaction():
                    Position(new, b"one").move(0, 5)
            except Moved as moved:
                raised.append(moved)

        thread = threading.Thread(target=write)
        with last.transaction():
            Position(last, b"one").move(0, 9)
            thread.start()
        thread.join()
        assert raised
        assert Position(new, b"one").reached(0) == 9
