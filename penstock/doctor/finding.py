"""What a check finds, and what it looks at."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from penstock.core.settings import Settings
from penstock.storage import opening

LEVELS = ("ok", "warning", "problem")  # a problem keeps the server from starting or from working


class Finding(NamedTuple):
    """``text`` is a sentence; so is ``remedy``, which is empty where there is nothing to do."""

    check: str
    level: str
    text: str
    remedy: str = ""


Findings = Iterator[Finding]


class Subject(NamedTuple):
    """The settings as a server would have them, and its environment.

    ``patience``: seconds that others have to answer, a little less than a check has.
    """

    settings: Settings
    environ: Mapping[str, str]
    all_providers: bool = False
    patience: float = 4.5

    @property
    def database_url(self) -> str:
        return self.settings.database_url or opening.url_in(self.settings.data_dir)

    @property
    def shared(self) -> bool:
        """Whether the database is PostgreSQL."""
        return opening.is_shared(self.database_url)


def ok(check: str, text: str) -> Finding:
    return Finding(check, "ok", text)


def warning(check: str, text: str, remedy: str) -> Finding:
    return Finding(check, "warning", text, remedy)


def problem(check: str, text: str, remedy: str) -> Finding:
    return Finding(check, "problem", text, remedy)
