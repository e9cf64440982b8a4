"""Time-ordered identifiers: UUIDv7, lower case, strictly increasing in a process, also when the clock steps back."""

import os
import random
import re
import time
from collections.abc import Callable

_random = random.Random(os.urandom(16))  # noqa: S311  ids are told to everybody; they keep no secret
_getrandbits = _random.getrandbits
_last = 0
_SPELLING = re.compile(r"[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}")


os.register_at_fork(after_in_child=lambda: _random.seed(os.urandom(16)))  # else parent and child would agree


def new(clock: Callable[[], int] = time.time_ns) -> bytes:
    """The next id as 16 bytes. 48 bits of milliseconds and 12 of sequence never repeat or go back."""
    global _last  # noqa: PLW0603  one sequence per process is the point
    tick = (clock() // 1_000_000) << 12
    tick = _last = tick if tick > _last else _last + 1
    stamp = (tick >> 12) << 16 | 0x7000 | (tick & 0xFFF)
    return ((stamp << 64) | (1 << 63) | _getrandbits(62)).to_bytes(16, "big")


def text(value: bytes) -> str:
    """The canonical spelling of a 16-byte id."""
    h = value.hex()
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"


def parse(value: str) -> bytes:
    """The 16 bytes of a spelt id. Raises ValueError."""
    if _SPELLING.fullmatch(value) is None:
        raise ValueError(f"not an id: {value!r}")
    return bytes.fromhex(value.replace("-", ""))


def millis(value: bytes) -> int:
    """The id's time in milliseconds since the epoch."""
    return int.from_bytes(value[:6], "big")
