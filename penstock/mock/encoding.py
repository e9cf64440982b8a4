"""Content encodings of answers, flushed frame by frame."""

import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

import brotli  # pyright: ignore[reportMissingTypeStubs]
import zstandard

from penstock.mock.answer import Act


class Encoder(Protocol):
    """One encoded body."""

    def frame(self, data: bytes) -> bytes:
        """Encodes and flushes, so that the peer can decode all of ``data`` at once."""
        ...

    def finish(self) -> bytes:
        """The end of the body."""
        ...


class _Zlib:
    def __init__(self, wbits: int) -> None:
        self._z = zlib.compressobj(wbits=wbits)

    def frame(self, data: bytes) -> bytes:
        return self._z.compress(data) + self._z.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> bytes:
        return self._z.flush()


class _Brotli:
    def __init__(self) -> None:
        self._z: Any = brotli.Compressor(quality=4)  # pyright: ignore[reportUnknownMemberType]

    def frame(self, data: bytes) -> bytes:
        return self._z.process(data) + self._z.flush()

    def finish(self) -> bytes:
        return self._z.finish()


class _Zstandard:
    def __init__(self) -> None:
        self._z = zstandard.ZstdCompressor().compressobj()

    def frame(self, data: bytes) -> bytes:
        return self._z.compress(data) + self._z.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)

    def finish(self) -> bytes:
        return self._z.flush(zstandard.COMPRESSOBJ_FLUSH_FINISH)


ENCODERS: dict[str, Callable[[], Encoder]] = {
    "gzip": lambda: _Zlib(31),
    "deflate": lambda: _Zlib(15),
    "br": _Brotli,
    "zstd": _Zstandard,
}


def encode(name: str, frames: list[bytes]) -> list[bytes]:
    """The encoded frames, as many as before: the end of the encoding is part of the last one."""
    encoder = ENCODERS[name]()
    encoded = [encoder.frame(frame) for frame in frames] or [b""]
    encoded[-1] += encoder.finish()
    return encoded


def encode_live(name: str, frames: Iterable[bytes | Act]) -> Iterator[bytes | Act]:
    """The same for a body that is still on its way; its end is a frame of its own."""
    encoder = ENCODERS[name]()
    for frame in frames:
        yield encoder.frame(frame) if isinstance(frame, bytes) else frame
    yield encoder.finish()
