"""Patterns of names: ``*`` stands for any characters, or for none; case counts."""

from functools import lru_cache


def matches(pattern: str, name: str) -> bool:
    """Whether a name is one of the pattern's. Time grows with the length of the name, not with what the stars may be.

    A pattern is a name too: where this holds of it, it has no name that ``pattern`` has not.
    """
    if "*" not in pattern:
        return name == pattern
    first, *middle, last = _parts(pattern)
    at, end = len(first), len(name) - len(last)
    if at > end or not name.startswith(first) or not name.endswith(last):
        return False
    for part in middle:
        found = name.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


@lru_cache(maxsize=1024)
def _parts(pattern: str) -> tuple[str, ...]:
    return (*pattern.split("*"),)
