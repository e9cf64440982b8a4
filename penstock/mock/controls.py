"""What a request may ask of the simulated providers: the ``x-mock-…`` controls, one table.

Each control is a request header or a query parameter of the same name; the header wins. Whatever is not understood is
refused by name, so that a misspelt control never makes a test pass for the wrong reason.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from penstock.core import codec

PREFIX = b"x-mock-"
HEAD = -1  # `stall` before the head; 0 and above count the frames sent
MAX_SIZE = 100_000_000
MAX_FRAMES = 1_000_000
_DAY_MS = 86_400_000
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_FRAMING = {"content-length", "transfer-encoding"}

Pairs: TypeAlias = list[tuple[bytes, bytes]]


class BadControl(Exception):
    """A control that cannot be understood or cannot act here; says which, and why."""


class Controls(codec.Struct, frozen=True):
    """The controls of one request. Times in seconds, sizes in bytes."""

    delay: float = 0
    stall: int | None = None
    frames: int = 0
    pace: float = 0
    status: int = 0
    retry_after: str = ""
    cut_frames: int | None = None
    cut_bytes: int | None = None
    malformed: bool = False
    error_body: bool = False
    size: int | None = None
    encoding: str = ""
    framing: str = ""
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    usage: str = ""
    echo: str = ""
    headers: Mapping[str, list[str]] = MappingProxyType({})
    reset: str = ""
    early_hints: bool = False
    close: bool = False


NONE = Controls()


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and low <= int(text[:12]) <= high):
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(text)

    return parse


def _milliseconds(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", text) or float(text) > _DAY_MS:
        raise ValueError(f"must be milliseconds, from 0 to {_DAY_MS}")
    return float(text) / 1000


def _flag(text: str) -> bool:
    if text not in ("0", "1"):
        raise ValueError("must be 1 or 0")
    return text == "1"


def _word(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return text

    return parse


def _stall(text: str) -> int:
    if text in ("head", "body"):
        return HEAD if text == "head" else 0
    try:
        return _whole(0, MAX_FRAMES)(text)
    except ValueError:
        raise ValueError(f"must be head, body or a number of frames up to {MAX_FRAMES}") from None


def _header_value(text: str) -> str:
    if not _VALUE.fullmatch(text):
        raise ValueError("has a character that no header value may have")
    return text


def _headers(text: str) -> dict[str, list[str]]:
    try:
        given = _HEADERS.decode(text.encode())
    except (*codec.DecodeError, UnicodeEncodeError):
        raise ValueError("must be a JSON object of header names and values: a text, a list of texts, or null") from None
    for name, value in given.items():
        if not _TOKEN.fullmatch(name):
            raise ValueError(f"has a name that no header may have: {name!r}")
        if name.lower() in _FRAMING:
            raise ValueError(f"may not set {name}: use x-mock-framing")
        for one in value if isinstance(value, list) else [value or ""]:
            _header_value(one)
    return {
        name.lower(): value if isinstance(value, list) else [] if value is None else [value]
        for name, value in given.items()
    }


_HEADERS = codec.decoder(dict[str, str | list[str] | None])

CONTROLS: dict[str, Callable[[str], Any]] = {
    "x-mock-delay": _milliseconds,
    "x-mock-stall": _stall,
    "x-mock-frames": _whole(1, MAX_FRAMES),
    "x-mock-pace": _milliseconds,
    "x-mock-status": _whole(200, 599),
    "x-mock-retry-after": _header_value,
    "x-mock-cut-frames": _whole(0, MAX_FRAMES),
    "x-mock-cut-bytes": _whole(0, 10**10),
    "x-mock-malformed": _flag,
    "x-mock-error-body": _flag,
    "x-mock-size": _whole(0, MAX_SIZE),
    "x-mock-encoding": _word("gzip", "deflate", "br", "zstd"),
    "x-mock-framing": _word("length", "chunked", "close"),
    "x-mock-cached-tokens": _whole(0, 10**9),
    "x-mock-cache-write-tokens": _whole(0, 10**9),
    "x-mock-reasoning-tokens": _whole(0, 10**9),
    "x-mock-usage": _word("none", "last-text"),
    "x-mock-echo": _word("1", "body"),
    "x-mock-headers": _headers,
    "x-mock-reset": _word("1", "reused"),
    "x-mock-early-hints": _flag,
    "x-mock-close": _flag,
}
"""Every control and the function that reads its value. The field of `Controls` is the name without its prefix."""


def read(headers: Pairs, query: bytes) -> Controls:
    """The controls of a request head. Raises `BadControl`."""
    given = [
        (n, v) for n, v in parse_qsl(query.decode("latin-1"), keep_blank_values=True) if n.lower().startswith("x-mock-")
    ]
    given += [(n.decode("latin-1"), v.decode("latin-1")) for n, v in headers if n.lower().startswith(PREFIX)]
    return Controls(**_values(given)) if given else NONE


def _values(given: Iterable[tuple[str, str]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for written, text in given:
        name = written.lower()
        parse = CONTROLS.get(name)
        if parse is None:
            raise BadControl(f"{name}: there is no such control; there are {', '.join(CONTROLS)}")
        try:
            values[name.removeprefix("x-mock-").replace("-", "_")] = parse(text.strip())
        except ValueError as why:
            raise BadControl(f"{name}: {why}, not {text[:100]!r}") from None
    return values
