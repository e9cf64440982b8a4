"""Numbers for the words that repeat in the log: a row stores ``3`` where it means ``application/json``."""

from collections.abc import Iterable

from penstock.storage.sql import Sql, filled, marks

_LIMIT = 50_000  # words kept in memory; callers choose model names, so this must not grow for ever
_ASKED = 512  # words in one question


class NewWord(Exception):
    """A word that has no number yet, or whose number is not known here: it is to be learnt."""


class Names(dict[str | None, int | None]):
    """``names["openai"]`` is the number of that word, once it was learnt, else NewWord; None has none."""

    def __init__(self, connection: Sql) -> None:
        super().__init__({None: None})
        self._connection = connection
        self.sweep = 0  # number of the last that is known (``name_reap``)

    def learn(self, words: set[str | None]) -> None:
        """Gives those a number that have none, in a transaction of its own.

        Within a larger one, two writers that number each other's words would wait for each other.
        """
        unknown = words - self.keys()
        if not unknown:
            return
        if len(self) + len(unknown) > _LIMIT:
            self.forget()
            unknown = words - {None}
        wanted = sorted(word for word in unknown if word is not None)
        self._find(wanted)
        missing = [word for word in wanted if word not in self]
        if missing:
            with self._connection.transaction():
                sql = "INSERT INTO log_names (name) VALUES (?) ON CONFLICT DO NOTHING"
                self._connection.executemany(sql, [(stored(word),) for word in missing])
            self._find(missing)

    def confirm(self, words: set[str | None]) -> None:
        """Raises NewWord where one of these words, all known, was taken out meanwhile, or a sweep began that may do so.

        Within ``lock_names``.
        """
        numbers = list({number for word in words if (number := self[word]) is not None})
        for at in range(0, len(numbers), _ASKED):
            values = filled(numbers[at : at + _ASKED])
            sql = f"SELECT count(*), (SELECT sweep FROM configuration) FROM log_names WHERE id IN {marks(len(values))}"  # noqa: S608
            ((there, sweep),) = self._connection.execute(sql, values)
            began, self.sweep = sweep != self.sweep, sweep
            if there < len({*values}):
                self.forget()
                raise NewWord
            if began:
                raise NewWord

    def forget(self) -> None:
        self.clear()
        self[None] = None

    def __missing__(self, word: str | None) -> int:
        raise NewWord(word)

    def _find(self, words: list[str]) -> None:
        for at in range(0, len(words), _ASKED):
            asked = {stored(word): word for word in words[at : at + _ASKED]}
            values = filled(list(asked))
            found = self._connection.execute(
                f"SELECT name, id FROM log_names WHERE name IN {marks(len(values))}",  # noqa: S608
                values,
            )
            numbers = dict(found)
            self.update({word: numbers[stored(word)] for word in words[at : at + _ASKED] if stored(word) in numbers})


class Words(dict[int | None, str | None]):
    """The way back: ``words[3]`` is the word of that number, once it was learnt."""

    def __init__(self, connection: Sql) -> None:
        super().__init__({None: None})
        self._connection = connection

    def learn(self, numbers: Iterable[int | None]) -> None:
        numbers = {*numbers}
        if len(self) > _LIMIT:
            self.clear()
            self[None] = None
        unknown = [number for number in numbers if number not in self]
        for at in range(0, len(unknown), _ASKED):
            values = filled(unknown[at : at + _ASKED])
            found = self._connection.execute(f"SELECT id, name FROM log_names WHERE id IN {marks(len(values))}", values)  # noqa: S608
            self.update(found)


def stored(word: str) -> str:
    """As a column can hold it: PostgreSQL's text has no NUL."""
    return word.replace("\0", "\ufffd") if "\0" in word else word
