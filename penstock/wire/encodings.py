"""Content codings, decoded as the bytes come, and the part of ``Accept-Encoding`` that we can live with.

Nothing here raises on what a peer sent: a decoder that meets corrupt input, or a bomb, marks itself failed and yields
nothing more.
"""

import re
import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol

import brotli  # pyright: ignore[reportMissingTypeStubs]
import zstandard

_brotli: Any = brotli  # untyped

DECODABLE = frozenset({b"gzip", b"x-gzip", b"deflate", b"br", b"zstd", b"identity"})

LIMIT = 10 << 20  # bytes that one ``feed`` may yield
_MAX_STACK = 4  # codings upon one another; more is nobody's honest answer
_ZSTD_WINDOW = 8 << 20  # what RFC 9659 lets a sender ask for
_ZSTD_STEP = 256  # a block yields at most 128 KiB and takes at least 4 bytes: one step yields at most 8 MiB


class Decoder(Protocol):
    """One answer's decoder. ``failed``: the input was corrupt, or a single feed yielded more than the limit."""

    @property
    def failed(self) -> bool: ...

    def feed(self, data: bytes) -> bytes:
        """What these bytes decode to, as far as it is known."""
        ...

    def end(self) -> bytes:
        """The encoded bytes are complete; what was still held."""
        ...


def decoder(content_encoding: bytes, limit: int = LIMIT) -> Decoder | None:
    """The decoder for a ``Content-Encoding`` value, stacked codings included; None where one is unknown."""
    names = [name for part in content_encoding.lower().split(b",") if (name := part.strip()) not in (b"", b"identity")]
    if len(names) > _MAX_STACK or any(name not in _CODINGS for name in names):
        return None
    if not names:
        return _Identity()
    layers = [_Layer(_CODINGS[name], limit) for name in reversed(names)]
    return layers[0] if len(layers) == 1 else _Stack(layers)


class _TooLarge(Exception):
    pass


_Coding = Callable[[bytes, int], bytes]  # (encoded bytes, the most that may come of them) -> decoded bytes


class _Identity:
    failed = False

    def feed(self, data: bytes) -> bytes:
        return data

    def end(self) -> bytes:
        return b""


class _Layer:
    """One coding."""

    __slots__ = ("_coding", "_limit", "failed")

    def __init__(self, make: Callable[[], _Coding], limit: int) -> None:
        self._coding = make()
        self._limit = limit
        self.failed = False

    def feed(self, data: bytes) -> bytes:
        if self.failed or not data:
            return b""
        try:
            return self._coding(data, self._limit)
        except (zlib.error, _brotli.error, zstandard.ZstdError, _TooLarge):
            self.failed = True
            return b""

    def end(self) -> bytes:
        return b""  # every coding here hands out all it can at once


class _Stack:
    """Several codings; the one applied last comes off first."""

    def __init__(self, layers: list[_Layer]) -> None:
        self._layers = layers

    @property
    def failed(self) -> bool:
        return any(layer.failed for layer in self._layers)

    def feed(self, data: bytes) -> bytes:
        for layer in self._layers:
            data = layer.feed(data)
        return data

    def end(self) -> bytes:
        return b""


class _Zlib:
    """gzip (members may follow one another) and deflate, which in the wild is either zlib or bare."""

    def __init__(self, wbits: int) -> None:
        self._wbits = wbits
        self._zlib = zlib.decompressobj(wbits) if wbits else None
        self._head: bytes = b""

    def __call__(self, data: bytes, limit: int) -> bytes:
        if self._zlib is None:
            data = self._head + data
            if len(data) < 2:  # noqa: PLR2004  the two bytes of a zlib header
                self._head = data
                return b""
            zlib_header = data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0  # noqa: PLR2004
            self._wbits = zlib.MAX_WBITS if zlib_header else -zlib.MAX_WBITS
            self._zlib = zlib.decompressobj(self._wbits)
        parts: list[bytes] = []
        left = limit
        while data:
            if self._zlib.eof:
                data = data.lstrip(b"\0")  # padding between members is allowed
                if not data or self._wbits != _GZIP:
                    break  # only gzip has members; what follows a deflate stream is ignored
                self._zlib = zlib.decompressobj(self._wbits)
            part = self._zlib.decompress(data, left + 1)
            left -= len(part)
            if left < 0:
                raise _TooLarge
            parts.append(part)
            data = self._zlib.unused_data
        return b"".join(parts)


_GZIP = zlib.MAX_WBITS | 16


class _Brotli:
    def __init__(self) -> None:
        self._brotli: Any = _brotli.Decompressor()

    def __call__(self, data: bytes, limit: int) -> bytes:
        if self._brotli.is_finished():
            return b""
        part: bytes = self._brotli.process(data, output_buffer_limit=limit + 1)
        if len(part) > limit or not self._brotli.can_accept_more_data():
            raise _TooLarge
        return part


class _Zstd:
    def __init__(self) -> None:
        self._zstd = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj(read_across_frames=True)

    def __call__(self, data: bytes, limit: int) -> bytes:
        parts: list[bytes] = []
        left = limit
        for begin in range(0, len(data), _ZSTD_STEP):
            part = self._zstd.decompress(data[begin : begin + _ZSTD_STEP])
            left -= len(part)
            if left < 0:
                raise _TooLarge
            parts.append(part)
        return b"".join(parts)


_CODINGS: dict[bytes, Callable[[], _Coding]] = {
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
