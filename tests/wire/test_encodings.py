"""What decodes decodes alike however it is cut; what does not fails quietly and in bounds."""

import gzip
import zlib
from itertools import pairwise

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from penstock.wire.encodings import DECODABLE, MEMBERS, SLICE, decoder, narrow_accept_encoding


def raw_deflate(data: bytes) -> bytes:
    coding = zlib.compressobj(wbits=-15)
    return coding.compress(data) + coding.flush()


def br(data: bytes) -> bytes:
    return brotli.compress(data)


CODINGS = [
    (b"identity", bytes),
    (b"", bytes),
    (b"gzip", gzip.compress),
    (b"X-GZip", gzip.compress),
    (b"gzip", lambda data: gzip.compress(data[:5]) + gzip.compress(data[5:]) + b"\0\0"),
    (b"deflate", zlib.compress),
    (b"deflate", raw_deflate),
    (b"br", br),
    (b"zstd", zstandard.compress),
    (b"zstd", lambda data: zstandard.compress(data[:5]) + zstandard.compress(data[5:])),
    (b"gzip, br", lambda data: br(gzip.compress(data))),
    (b"zstd,identity , deflate", lambda data: zlib.compress(zstandard.compress(data))),
]


@given(st.binary(max_size=300), st.sampled_from(CODINGS), st.lists(st.integers(0, 300), max_size=20))
def test_round_trip_however_cut(data: bytes, coding: tuple, at: list[int]) -> None:
    name, encode = coding
    encoded: bytes = encode(data)
    decode = decoder(name)
    assert decode is not None
    edges = [0, *sorted(min(i, len(encoded)) for i in at), len(encoded)]
    out = b"".join(decode.feed(encoded[a:b]) for a, b in pairwise(edges)) + decode.end()
    assert out == data
    assert not decode.failed


@pytest.mark.parametrize("name", sorted(DECODABLE - {b"identity"}))
@given(st.binary(min_size=20, max_size=100))
def test_garbage_never_raises(name: bytes, data: bytes) -> None:
    decode = decoder(name)
    assert decode is not None
    decode.feed(data[:7])
    decode.feed(data[7:])
    decode.end()


@pytest.mark.parametrize(("name", "encode"), CODINGS[2:])
def test_corruption_is_noticed_and_silences(name: bytes, encode) -> None:
    decode = decoder(name)
    assert decode is not None
    decode.feed(b"\xff" * 40)
    assert decode.failed
    assert decode.feed(encode(b"abc")) == b""


@pytest.mark.parametrize(("name", "encode"), CODINGS[2:])
def test_a_bomb_is_not_unpacked(name: bytes, encode) -> None:
    bomb: bytes = encode(bytes(20 << 20))
    decode = decoder(name, limit=1 << 20)
    assert decode is not None
    assert len(decode.feed(bomb)) <= 1 << 20
    assert decode.failed


@pytest.mark.parametrize(("name", "encode"), CODINGS[2:])
def test_a_small_input_is_decoded_in_slices(name: bytes, encode) -> None:
    decode = decoder(name)
    assert decode is not None
    decode.put(encode(bytes(20 << 20)))
    slices = list(iter(decode.take, None))
    assert b"".join(slices) == bytes(20 << 20)
    assert max(map(len, slices)) <= 3 * SLICE
    assert not decode.failed


@pytest.mark.parametrize("padding", [b"", b"\0" * 100])
def test_gzip_members_are_counted(padding: bytes) -> None:
    few = decoder(b"gzip")
    assert few is not None
    assert few.feed((gzip.compress(b"a") + padding) * MEMBERS) == b"a" * MEMBERS
    assert not few.failed
    many = decoder(b"gzip")
    assert many is not None
    many.feed((gzip.compress(b"a") + padding) * (MEMBERS + 1))
    assert many.failed


@pytest.mark.parametrize("piece", [zstandard.compress(b""), b"\x50\x2a\x4d\x18\0\0\0\0"])
def test_many_empty_zstd_frames_are_looked_at_in_pieces(piece: bytes) -> None:
    decode = decoder(b"zstd")
    assert decode is not None
    decode.put(piece * 100_000 + zstandard.compress(b"told"))
    slices = list(iter(decode.take, None))
    assert b"".join(slices) == b"told"
    assert len(slices) >= 100_000 * len(piece) / SLICE


def test_unknown_codings() -> None:
    assert decoder(b"compress") is None
    assert decoder(b"gzip, compress") is None
    assert decoder(b"gzip," * 50 + b"gzip") is None


@pytest.mark.parametrize(
    ("asked", "narrowed"),
    [
        (b"gzip, deflate, br, zstd", b"gzip, deflate, br, zstd"),
        (b"gzip;q=1.0, compress, br ; q=0.5", b"gzip;q=1.0, br;q=0.5"),
        (b"compress, dcb", b"identity"),
        (b"", b"identity"),
        (b"*", b"gzip, deflate, br, zstd"),
        (b"br, *;q=0.1", b"br, gzip;q=0.1, deflate;q=0.1, zstd;q=0.1"),
        (b"br;q=0, *", b"br;q=0, gzip, deflate, zstd"),
        (b"gzip, *;q=0", b"gzip, *;q=0"),
        (b"*;q=0", b"identity"),
        (b"GZIP;Q=0.3", b"gzip;q=0.3"),
        (b"gzip;q=9, br", b"br"),
        (b"identity;q=0", b"identity"),
        (b"identity;q=0.5, gzip;q=1", b"identity;q=0.5, gzip;q=1"),
    ],
)
def test_accept_encoding_is_narrowed(asked: bytes, narrowed: bytes) -> None:
    assert narrow_accept_encoding(asked) == narrowed
