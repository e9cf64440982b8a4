"""Two spellings of a version in a model's name: ``claude-haiku-4.5`` and ``claude-haiku-4-5``. Pure."""

import re
from collections.abc import Iterable

_VERSION = re.compile(r"(?<=\d)-(?=\d)")
_LONG = 256  # characters; a longer name is nobody's


class Spellings:
    """How a provider writes the names of its models, as far as they are known."""

    __slots__ = ("_names",)

    def __init__(self, names: Iterable[str]) -> None:
        self._names: dict[str, set[str]] = {}  # by the name with all of its versions dotted
        for name in names:
            self._names.setdefault(_dotted(name), set()).add(name)

    def of(self, name: str) -> str:
        """The name as its provider writes it: the longest known one that it begins with, and what follows, as a date.
        Where both spellings are known, and where none is, it stays as it is.
        """
        dotted = _dotted(name) if len(name) <= _LONG else ""
        for end in range(len(dotted), 0, -1):
            if end < len(name) and name[end].isalnum():
                continue
            known = self._names.get(dotted[:end])
            if known is not None:
                return name if name[:end] in known or len(known) > 1 else known.copy().pop() + name[end:]
        return name


def _dotted(name: str) -> str:
    return _VERSION.sub(".", name)
