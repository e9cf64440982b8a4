"""Whole numbers in headers of ours."""

import re

_NUMBER = re.compile(rb"\s*([+-]?\d{1,18})\s*")


def whole(value: bytes, least: int, most: int) -> tuple[int | None, str]:
    """The number, moved into its range; and what is to be said about it, empty: nothing. None: it is no number."""
    match = _NUMBER.fullmatch(value)
    if match is None:
        return None, "is no whole number"
    number = int(match[1])
    held = min(max(number, least), most)
    return held, "" if held == number else f"is out of range and taken as {held}"
