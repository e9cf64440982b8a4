"""What nobody filters by, compressed together: the details and bodies of up to 32 rows of one gateway.

Rows of one gateway resemble each other, so a frame of 32 is a fraction of 32 frames, in bytes and in time. Details
and bodies are frames of their own, because lists show the former and only single rows the latter.
"""

import re
import threading
from collections import defaultdict
from collections.abc import Container, Iterator

import zstandard

from penstock.core import codec
from penstock.model.record import LogRecord

ROWS = 32
BYTES = 256 * 1024  # of bodies: reading one must not cost unpacking many large ones
# What an event of a stream says, member by member: words are cut anywhere, whatever the dialect.
_MEMBER = re.compile(rb'"(\w{1,40})"\s{0,9}:\s{0,9}"([^"\\]*(?:\\.[^"\\]*)*)"', re.DOTALL)


class _Own(threading.local):
    """Compressor and decompressor for each thread: two that share one corrupt each other's memory."""

    def __init__(self) -> None:
        self.compress = zstandard.ZstdCompressor(level=1).compress
        self.decompress = zstandard.ZstdDecompressor().decompress


_own = _Own()
_details = codec.unpacker(list[bytes])
_bodies = codec.unpacker(list[bytes | None])


def split(records: list[LogRecord]) -> Iterator[list[LogRecord]]:
    """Runs of records that fit a block; a record larger than that is alone."""
    block: list[LogRecord] = []
    size = 0
    for record in records:
        more = len(record.request or b"") + len(record.response or b"")
        if block and (len(block) == ROWS or size + more > BYTES):
            yield block
            block, size = [], 0
        block.append(record)
        size += more
    if block:
        yield block


def pack(records: list[LogRecord]) -> tuple[bytes, bytes, bytes | None]:
    """The columns ``ids``, ``details`` and ``bodies``."""
    bodies = [body for record in records for body in (record.request, record.response)]
    return (
        b"".join([record.id for record in records]),
        pack_details([record.detail for record in records]),
        _own.compress(codec.pack(bodies)) if any(body is not None for body in bodies) else None,
    )


def pack_details(details: list[bytes]) -> bytes:
    """The column ``details``."""
    return _own.compress(codec.pack(details))


def ids(column: bytes) -> list[bytes]:
    """The ids of the rows of a block, in their places."""
    return [column[at : at + 16] for at in range(0, len(column), 16)]


def details(column: bytes) -> list[bytes]:
    """The details of the rows, in their places: JSON objects."""
    return _details.decode(_own.decompress(column))


def bodies(column: bytes | None, place: int) -> tuple[bytes | None, bytes | None]:
    """Request and response of the row in that place; None: not kept."""
    if column is None:
        return None, None
    found = _bodies.decode(_own.decompress(column))
    return found[2 * place], found[2 * place + 1]


def without(
    column: bytes, details_column: bytes, bodies_column: bytes | None, gone: Container[bytes]
) -> tuple[bytes, bytes, bytes | None] | None:
    """The columns without what belongs to the rows that are gone; None: nothing is left."""
    places = [place for place, log_id in enumerate(ids(column)) if log_id not in gone]
    if not places:
        return None
    told = details(details_column)
    left = b"".join([column[16 * place : 16 * place + 16] for place in places])
    kept = _own.compress(codec.pack([told[place] for place in places]))
    if bodies_column is None:
        return left, kept, None
    all_bodies = _bodies.decode(_own.decompress(bodies_column))
    rest = [body for place in places for body in all_bodies[2 * place : 2 * place + 2]]
    return left, kept, _own.compress(codec.pack(rest)) if any(body is not None for body in rest) else None


def holding(column: bytes, wanted: list[bytes]) -> set[int]:
    """The places of the rows that have one of these texts, of small letters, in a body."""
    packed = _own.decompress(column)
    small = packed.lower()
    streams = b"data:" in small or b"}\n{" in small
    if not streams and not any(text in small for text in wanted):
        return set()
    found = _bodies.decode(packed)
    return {at // 2 for at, body in enumerate(found) if body and _holds(body, wanted)}


def _holds(body: bytes, wanted: list[bytes]) -> bool:
    small = body.lower()
    if any(text in small for text in wanted):
        return True
    if not body.startswith((b"data:", b"event:", b"id:", b":")) and b"}\n{" not in body:
        return False
    members = defaultdict[bytes, list[bytes]](list)
    for member in _MEMBER.finditer(small):
        members[member[1]].append(member[2])
    return any(text in b"".join(pieces) for pieces in members.values() for text in wanted)
