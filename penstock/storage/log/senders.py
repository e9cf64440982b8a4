"""How far the records of each sender are written, so that each record counts once.

A sender numbers its records; when a writer dies, it sends again what was not confirmed. The writer keeps the position
that it has reached in the transaction that writes the records, and skips what lies before it.
"""

from penstock.core import instants
from penstock.storage.sql import Sql, Statements

KEPT = 30 * 24 * 3600 * 1000  # milliseconds: a sender that is silent for so long has ended
_MOVE = "UPDATE log_senders SET position = ?, at = ? WHERE id = ? AND position <= ? RETURNING position"
_BEGIN = "INSERT INTO log_senders (id, position, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"


class Moved(Exception):
    """Records are written already, or nothing is known of their sender yet."""


class Position:
    """How far one sender's records are written. ``sender``: 16 random bytes."""

    def __init__(self, connection: Sql, sender: bytes) -> None:
        self._connection = connection
        self._sender = sender

    def move(self, start: int, end: int) -> None:
        """Says that the records from ``start`` up to ``end`` are written. First in the transaction that writes them.

        Raises Moved. Waits for a transaction of the same sender's last writer that is still being committed.
        """
        if not self._connection.execute(_MOVE, (end, instants.now(), self._sender, start)):
            raise Moved

    def reached(self, start: int) -> int:
        """The position of the first record that is not written; of a new sender, ``start``."""
        with self._connection.transaction():
            self._connection.execute(_BEGIN, (self._sender, start, instants.now()))
            sql = "SELECT position FROM log_senders WHERE id = ?"
            ((position,),) = self._connection.execute(sql, (self._sender,))
        return position


def positions(connection: Statements) -> dict[bytes, int]:
    """How far the records of each are written."""
    return {bytes(sender): position for sender, position in connection.execute("SELECT id, position FROM log_senders")}


def forget(connection: Sql, now: int) -> None:
    """Takes out the senders that have ended."""
    connection.execute("DELETE FROM log_senders WHERE at < ?", (now - KEPT,))
