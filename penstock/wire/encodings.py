"""Content codings, decoded in slices of bounded work, and the part of ``Accept-Encoding`` that we can live with.

Nothing here raises on what a peer sent: a decoder that meets corrupt input, or a bomb, marks itself failed and yields
nothing more.
"""

import re
import zlib
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import brotli  # pyright: ignore[reportMissingTypeStubs]
import zstandard

_brotli: Any = brotli  # untyped

DECODABLE = frozenset({b"gzip", b"x-gzip", b"deflate", b"br", b"zstd", b"identity"})

LIMIT = 10 << 20  # bytes that one ``feed`` may yield
SLICE = 16 * 1024  # bytes that one ``take`` yields, more or less
MEMBERS = 1000  # of one gzip answer; each further one costs the work of a whole answer
_STEP = 16 * 1024  # encoded bytes that one ``take`` looks at: what zlib leaves over is copied every time
_MAX_STACK = 4  # codings upon one another; more is nobody's honest answer
_LARGEST_WINDOW = 16 << 20  # of brotli
_ZSTD_WINDOW = 8 << 20  # what RFC 9659 lets a sender ask for


class Coding:
    """The decoder of one coding. Encoded bytes wait in it, and are decoded in pieces of at most ``_STEP``."""

    def __init__(self, window: int = 0) -> None:
        self.window = window  # bytes of its output that the library may keep, where they are worth counting
        self.out = 0  # bytes of output, where they are counted
        self._unbegun = 0  # bytes that were put
        self._pieces: deque[bytes] = deque()
        self._at = 0  # of the first piece, what is taken already

    @property
    def waiting(self) -> int:
        """Bytes that were put and are not decoded."""
        return self._unbegun

    def put(self, data: bytes) -> None:
        """Encoded bytes came."""
        if data:
            self._pieces.append(data)
            self._unbegun += len(data)

    def take(self) -> bytes | None:
        """Does a bounded piece of the work that is left. Returns what came of it (perhaps nothing), at most about
        ``SLICE`` bytes; None: there is no work left until more bytes come. Raises what the library raises.
        """
        raise NotImplementedError  # each coding has its own

    def _next(self) -> bytes:
        """The next piece. Empty: nothing waits."""
        if not self._pieces:
            return b""
        first, begin = self._pieces[0], self._at
        if len(first) <= _STEP:
            self._unbegun -= len(first)
            return self._pieces.popleft()
        piece = first[begin : begin + _STEP]
        self._unbegun -= len(piece)
        self._at = begin + _STEP
        if self._at >= len(first):
            self._pieces.popleft()
            self._at = 0
        return piece


class Decoder:
    """Decodes one answer. ``failed``: its bytes are corrupt, or a limit was passed."""

    __slots__ = ("_codings", "_limit", "_next", "_windowed", "failed")

    def __init__(self, codings: "list[Coding]", limit: int) -> None:
        self._codings = codings  # in the order in which they come off
        self._next = codings[0].take if len(codings) == 1 else self._stacked
        self._limit = limit
        self.failed = False
        self._windowed = [coding for coding in codings if coding.window]

    @property
    def waiting(self) -> int:
        """Encoded bytes that were put and are not decoded."""
        return self._codings[0].waiting

    @property
    def kept(self) -> int:
        """Bytes of their output that the codings may keep: of each, at most its window."""
        return sum([min(coding.out, coding.window) for coding in self._windowed])

    def put(self, data: bytes) -> None:
        """Encoded bytes came."""
        if data and not self.failed:
            self._codings[0].put(data)

    def take(self) -> bytes | None:
        """The next slice, perhaps an empty one; None: all that was put is decoded. At most a millisecond of work."""
        try:
            return None if self.failed else self._next()
        except (zlib.error, _brotli.error, zstandard.ZstdError, _TooMany):
            self.failed = True
            return None

    def feed(self, data: bytes) -> bytes:
        """What these bytes decode to, in one go. Fails where that is more than the limit."""
        self.put(data)
        parts: list[bytes] = []
        left = self._limit
        while (part := self.take()) is not None:
            left -= len(part)
            if left < 0:
                self.failed = True
                return b""
            parts.append(part)
        return b"" if self.failed else b"".join(parts)

    def end(self) -> bytes:
        """The encoded bytes are complete; what was still held."""
        return b""

    def _stacked(self) -> bytes | None:
        return self._take(len(self._codings) - 1)

    def _take(self, at: int) -> bytes | None:
        part = self._codings[at].take()
        if part is None and at and (below := self._take(at - 1)) is not None:
            self._codings[at].put(below)
            return b""
        return part


def decoder(content_encoding: bytes, limit: int = LIMIT) -> Decoder | None:
    """The decoder for a ``Content-Encoding`` value, stacked codings included; None where one is unknown."""
    names = [name for part in content_encoding.lower().split(b",") if (name := part.strip()) not in (b"", b"identity")]
    if len(names) > _MAX_STACK or any(name not in _CODINGS for name in names):
        return None
    return Decoder([_CODINGS[name]() for name in reversed(names)] or [_Identity()], limit)


class _TooMany(Exception):
    pass


class _Identity(Coding):
    def take(self) -> bytes | None:
        return self._next() or None


class _Zlib(Coding):
    """gzip (members may follow one another) and deflate, which in the wild is either zlib or bare."""

    def __init__(self, wbits: int) -> None:
        super().__init__()
        self._wbits = wbits
        self._zlib = zlib.decompressobj(wbits) if wbits else None
        self._left: bytes = b""  # of a piece of input, what is not decoded yet
        self._full = False  # there may be more to take though no input is left
        self._members = 1

    @property
    def waiting(self) -> int:
        return self._unbegun + len(self._left)

    def take(self) -> bytes | None:
        data = self._left or self._next()
        if not data and not self._full:
            return None
        if self._zlib is None:
            if len(data) < 2:  # noqa: PLR2004  the two bytes of a zlib header
                more = self._next()
                self._left = data = data + more
                return b"" if more else None
            zlib_header = data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0  # noqa: PLR2004
            self._wbits = zlib.MAX_WBITS if zlib_header else -zlib.MAX_WBITS
            self._zlib = zlib.decompressobj(self._wbits)
        if self._zlib.eof:
            return self._next_member(data)
        part = self._zlib.decompress(data, SLICE)
        self._full = len(part) == SLICE and not self._zlib.eof
        self._left = self._zlib.unused_data if self._zlib.eof else self._zlib.unconsumed_tail
        return part

    def _next_member(self, data: bytes) -> bytes:
        self._left = data.lstrip(b"\0") if self._wbits == _GZIP else b""  # what follows a deflate stream is ignored
        if self._left:  # padding between members is allowed
            self._members += 1
            if self._members > MEMBERS:
                raise _TooMany
            self._zlib = zlib.decompressobj(self._wbits)
        return b""


_GZIP = zlib.MAX_WBITS | 16


class _Brotli(Coding):
    def __init__(self) -> None:
        super().__init__(_LARGEST_WINDOW)
        self._brotli: Any = _brotli.Decompressor()
        self._begun = False
        self._more = False  # the last piece of input has more to give

    def take(self) -> bytes | None:
        data = b"" if self._more else self._next()
        if self._brotli.is_finished() or not (data or self._more):
            return None if not data else b""  # what follows is ignored
        if data and not self._begun:
            self._begun, self.window = True, _window(data[0])
        part: bytes = self._brotli.process(data, output_buffer_limit=SLICE)
        self._more = bool(part) or not self._brotli.can_accept_more_data()
        self.out += len(part)
        return part


def _window(first: int) -> int:
    """The window that a brotli stream announces in its first byte (RFC 7932, 9.1)."""
    if not first & 1:
        return 1 << 16
    if more := first >> 1 & 7:
        return 1 << 17 + more
    return 1 << (8 + (first >> 4 & 7) if first >> 4 & 7 else 17)


class _Dry(Exception):
    """No input: ``read1`` then leaves its state as it is."""


class _Source:
    """What the library's reader reads from: one piece of input at a time."""

    __slots__ = ("given",)

    def __init__(self) -> None:
        self.given = b""

    def read(self, _: int) -> bytes:
        data, self.given = self.given, b""
        if not data:
            raise _Dry
        return data


class _Zstd(Coding):
    """Only the library's reader yields bounded pieces of what a small input may become."""

    def __init__(self) -> None:
        super().__init__(_ZSTD_WINDOW)
        self._source: Any = _Source()
        decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
        self._reader = decompressor.stream_reader(self._source, read_size=_STEP, read_across_frames=True)

    def take(self) -> bytes | None:
        try:
            part: bytes = self._reader.read1(SLICE)
        except _Dry:
            self._source.given = self._next()
            return b"" if self._source.given else None
        self.out += len(part)
        return part


_CODINGS: dict[bytes, Callable[[], Coding]] = {
    b"gzip": lambda: _Zlib(_GZIP),
    b"x-gzip": lambda: _Zlib(_GZIP),
    b"deflate": lambda: _Zlib(0),
    b"br": _Brotli,
    b"zstd": _Zstd,
}

_MEMBER = re.compile(rb"\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*(?:;\s*[qQ]=([01](?:\.[0-9]{0,3})?)\s*)?")
_OFFERED = (b"gzip", b"deflate", b"br", b"zstd")


@lru_cache(256)
def narrow_accept_encoding(value: bytes) -> bytes:
    """The members that we can decode, with their q-values; ``identity`` where none is left.

    A ``*`` that allows anything becomes the codings that it stands for and we know; ``*;q=0`` stays. Members that
    cannot be read are dropped.
    """
    asked: dict[bytes, bytes] = {}
    for part in value.split(b","):
        if match := _MEMBER.fullmatch(part):
            asked[match[1].lower()] = match[2] or b""
    star = asked.pop(b"*", None)
    kept = {name: q for name, q in asked.items() if name in DECODABLE}
    if star is not None:
        if _allows(star):
            kept.update({name: star for name in _OFFERED if name not in asked})
        else:
            kept[b"*"] = star
    if not any(_allows(q) for q in kept.values()):
        return b"identity"
    return b", ".join(name + (b";q=" + q if q else b"") for name, q in kept.items())


def acceptable(coding: bytes, accept: bytes | None) -> bool:
    """Whether a client that sent that ``Accept-Encoding`` (None: none) takes an answer in that coding.

    One that said nothing takes only what is not encoded.
    """
    asked = {
        match[1].lower(): match[2] or b"" for part in (accept or b"").split(b",") if (match := _MEMBER.fullmatch(part))
    }
    names = [name for part in coding.lower().split(b",") if (name := part.strip()) not in (b"", b"identity")]
    return all(_allows(asked.get(name, asked.get(b"*", b"0"))) for name in names)


def _allows(q: bytes) -> bool:
    return not q or float(q) > 0
