"""Searching rows for a text: ids, names, metadata, and the bodies, which lie compressed in blocks.

No index knows the words of prompts and answers, so blocks are unpacked one after the other. Capital and small letters
are the same; a text is found as it is, and as JSON writes it.
"""

import re
import time
from collections.abc import Iterable

import zstandard

from penstock.core import ids
from penstock.core.codec import encode
from penstock.storage.log import blocks
from penstock.storage.log.columns import WORDS
from penstock.storage.log.filters import Numbers, within
from penstock.storage.log.walk import Sifting
from penstock.storage.sql import Row, Sql, filled, marks

_ROWS = 256  # that are looked at between two looks at the clock
_ID = re.compile(r"[0-9a-f-]{4,36}")


def sifting(connection: Sql, text: str, numbers: Numbers, *, bodies: bool) -> Sifting:
    """Which rows have the text. ``bodies``: whether it may be looked for there too."""
    head, values = _head(connection, text, numbers)
    wanted = needles(text)
    part = text.lower() if _ID.fullmatch(text.lower()) else None

    def sift(rows: list[Row], until: float) -> tuple[list[bytes], bytes | None]:
        found: list[bytes] = []
        for at in range(0, len(rows), _ROWS):
            some = rows[at : at + _ROWS]
            hits = {log_id for log_id, _, hit in some if hit or (part is not None and part in ids.text(log_id))}
            if bodies:
                hits |= _in_bodies(connection, {block for log_id, block, _ in some if log_id not in hits}, wanted)
            found += [log_id for log_id, _, _ in some if log_id in hits]
            if time.monotonic() > until:
                return found, some[-1][0]
        return found, None

    return Sifting(f"l.block, {head}", values, sift)


def _head(connection: Sql, text: str, numbers: Numbers) -> tuple[str, list[object]]:
    """SQL of whether the row itself has the text."""
    dialect, like = connection.dialect, "lower({}) LIKE ? ESCAPE '!'"
    told = encode(text).decode()[1:-1]  # as metadata have it
    columns = {"l.path": text, "coalesce(l.event_id, '')": text, "coalesce(l.metadata, '')": told}
    tests = [like.format(dialect.text.format(column)) for column in columns]
    named = numbers(like.format(dialect.text.format("name")), [within(text)])
    among = ", ".join(map(str, named))
    tests += [f"coalesce(l.{column.name}, -1) IN ({among})" for column in WORDS if named]
    return f"({' OR '.join(tests)}) AS hit", [within(wanted) for wanted in columns.values()]


def needles(text: str) -> list[bytes]:
    """The bytes that stand for a text in a body whose ASCII letters were made small."""
    spelt = {text, text.lower(), text.upper(), text.title()}
    forms = spelt | {encode(each).decode()[1:-1] for each in spelt}
    forms |= {"".join(map(_escaped, one)) for one in forms}
    forms |= {one.replace("/", "\\/") for one in forms}
    return sorted({one.encode().lower() for one in forms})


def _escaped(character: str) -> str:
    """As JSON that is ASCII alone has it."""
    if character.isascii():
        return character
    units = character.encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _in_bodies(connection: Sql, numbers: Iterable[int], wanted: list[bytes]) -> set[bytes]:
    """The ids of the rows of those blocks that have any of the texts in a body."""
    asked, found = list(numbers), set[bytes]()
    for at in range(0, len(asked), 16):
        some = filled(asked[at : at + 16])
        sql = f"SELECT ids, bodies FROM log_bodies WHERE bodies IS NOT NULL AND id IN {marks(len(some))}"  # noqa: S608
        for column, packed in connection.execute(sql, some):
            try:
                places = blocks.holding(packed, wanted)
            except zstandard.ZstdError:
                continue  # a damaged block has nothing to be found
            found |= {column[16 * place : 16 * place + 16] for place in places}
            time.sleep(0)  # other threads of the process come first
    return found
