"""Numbers for the words that repeat in the log: a row stores ``3`` where it means ``application/json``."""

import sqlite3

_LIMIT = 50_000  # words kept in memory; callers choose model names, so this must not grow for ever


class Names(dict[str | None, int | None]):
    """``names["openai"]`` is the number of that word, given on first use; None has none."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__({None: None})
        self._connection = connection

    def forget(self) -> None:
        """To be called when the transaction in which numbers may have been given is undone."""
        self.clear()
        self[None] = None

    def __missing__(self, name: str) -> int:
        if len(self) > _LIMIT:
            self.forget()
        self._connection.execute("INSERT INTO log_names (name) VALUES (?) ON CONFLICT DO NOTHING", (name,))
        (number,) = self._connection.execute("SELECT id FROM log_names WHERE name = ?", (name,)).fetchone()
        self[name] = number
        return number


class Words(dict[int | None, str | None]):
    """The way back: ``words[3]`` is the word of that number."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__({None: None})
        self._connection = connection

    def __missing__(self, number: int) -> str | None:
        row = self._connection.execute("SELECT name FROM log_names WHERE id = ?", (number,)).fetchone()
        self[number] = None if row is None else row[0]
        return self[number]
