"""Bytes that were requests, and something went wrong with them: by accident, or to be read in two ways."""

import re
from collections.abc import Callable
from random import Random

Mutation = Callable[[Random, bytes], bytes]

_ODD = [
    b"\r",
    b"\n",
    b"\r\n",
    b"\x00",
    b" ",
    b"\t",
    b":",
    b",",
    b";",
    b"0",
    b"9",
    b"f",
    b"-",
    b"+",
    b"#",
    b"\x0b",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"\r\n\r\n",
    b"0\r\n\r\n",
    b"\xc2\xa0",
    b"%0d%0a",
    b"\\",
    b"//",
    b"/../",
    b"HTTP/1.1",
]

CODINGS = [
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: xchunked",
    b"Transfer-Encoding : chunked",
    b"Transfer-Encoding:\tchunked",
    b"Transfer-Encoding:\x0bchunked",
    b"Transfer-Encoding: chunked, identity",
    b"Transfer-Encoding: identity, chunked",
    b"Transfer-Encoding: chunked, chunked",
    b"Transfer-Encoding: identity",
    b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: chunked;q=1",
    b'Transfer-Encoding: "chunked"',
    b"Transfer-Encoding: CHUNKED",
    b"Transfer-Encoding: chunked ",
    b"Transfer-Encoding: \xe3\x80\x80chunked",
    b"Transfer-Encoding: chunked\x00",
    b"Transfer-Encoding: ,chunked",
    b"Transfer-Encoding:",
    b"Transfer-Encoding:\r\n chunked",
    b"Transfer-Encoding\r\n: chunked",
    b"Transfer-Encoding: x\r\nTransfer-Encoding: chunked",
    b" Transfer-Encoding: chunked",
    b"X: y\nTransfer-Encoding: chunked",
    b"X: y\rTransfer-Encoding: chunked",
    b"Transfer_Encoding: chunked",
    b"Transfer-Encodin\xc7: chunked",
]
LENGTHS = [
    b"-1",
    b"+5",
    b"0x5",
    b"",
    b"5, 5",
    b"5,6",
    b"5 5",
    b"5\t",
    b"05",
    b"5.0",
    b"5e0",
    b"99999999999999999999",
    b"\xef\xbc\x95",
    b"1" * 40,
    b"18446744073709551617",
    b"4294967301",
    b"5;a",
    b"5\r\n 5",
    b"\x005",
    b"_5",
    b"1_0",
]
SIZES = [
    b"-1",
    b"+3",
    b"0x3",
    b"",
    b" 3",
    b"3 ",
    b"3;",
    b"3;a",
    b"3;a=b",
    b'3;a="\r\n"',
    b"3\t;a",
    b"003",
    b"ffffffffffffffff",
    b"10000000000000003",
    b"f" * 40,
    b"3\n",
    b"3\r",
    b"3;a\nb",
    b"3,3",
    b"3.0",
    b"\x003",
    b"3\x00",
    b"g",
    b"0",
    b"00",
    b"-0",
    b"3_3",
]
ADDED = [
    b"Connection: close", b"Connection: keep-alive", b"Connection: upgrade\r\nUpgrade: h2c",
    b"Connection: content-length",
    b"Connection: transfer-encoding", b"Host: other", b"Expect: 100-continue", b"Expect: x", b"Content-Length: 0",
    b"Content-Length: 3", b"Upgrade: websocket", b"TE: trailers", b"Trailer: x", b"X-Forwarded-For: 1.2.3.4", b"X : y",
    b"X", b": y", b"x:y", b" folded", b"\tfolded", b"Proxy-Connection: close", b"HTTP/1.1 200 OK", b"GET / HTTP/1.1",
]  # fmt: skip


def flip(dice: Random, data: bytes) -> bytes:
    """One byte becomes another."""
    at = dice.randrange(len(data))
    return data[:at] + bytes([dice.randrange(256)]) + data[at + 1 :]


def insert(dice: Random, data: bytes) -> bytes:
    """Something odd comes between, mostly where lines end."""
    at = _place(dice, data)
    return data[:at] + dice.choice(_ODD) + data[at:]


def delete(dice: Random, data: bytes) -> bytes:
    """A few bytes are gone."""
    at = _place(dice, data)
    return data[:at] + data[at + dice.choice((1, 1, 2, 4, 20)) :]


def duplicate(dice: Random, data: bytes) -> bytes:
    """A piece comes twice."""
    at, size = _place(dice, data), dice.choice((1, 2, 10, 100, 1000))
    return data[: at + size] + data[at:]


def swap(dice: Random, data: bytes) -> bytes:
    """Two lines change places."""
    lines = data.split(b"\r\n")
    one, two = dice.randrange(len(lines)), dice.randrange(len(lines))
    lines[one], lines[two] = lines[two], lines[one]
    return b"\r\n".join(lines)


def repeat(dice: Random, data: bytes) -> bytes:
    """A line comes twice."""
    lines = data.split(b"\r\n")
    at = dice.randrange(len(lines))
    return b"\r\n".join([*lines[:at], lines[at], *lines[at:]])


def drop(dice: Random, data: bytes) -> bytes:
    """A line is gone."""
    lines = data.split(b"\r\n")
    del lines[dice.randrange(len(lines))]
    return b"\r\n".join(lines)


def add(dice: Random, data: bytes) -> bytes:
    """A header more."""
    return _add(dice, data, dice.choice(ADDED))


def recode(dice: Random, data: bytes) -> bytes:
    """Another transfer coding: in the place of the one there is, or beside what there is."""
    line = dice.choice(CODINGS)
    found = list(re.finditer(rb"(?i)(transfer-encoding|content-length)[^\r\n]*", data))
    if found and dice.random() < 0.5:
        match = dice.choice(found)
        return data[: match.start()] + line + data[match.end() :]
    return _add(dice, data, line)


def relength(dice: Random, data: bytes) -> bytes:
    """A length that is not, or not quite."""
    found = list(re.finditer(rb"(?i)content-length: *(\d+)", data))
    if not found:
        return _add(dice, data, b"Content-Length: " + dice.choice(LENGTHS))
    match = dice.choice(found)
    near = b"%d" % max(0, int(match[1]) + dice.choice((-2, -1, 1, 2, 10, 100)))
    return data[: match.start(1)] + dice.choice((near, near, *LENGTHS)) + data[match.end(1) :]


def resize(dice: Random, data: bytes) -> bytes:
    """A chunk size that is not, or not quite."""
    found = list(re.finditer(rb"\r\n([0-9a-f]+)(?=[\r;])", data))
    if not found:
        return relength(dice, data)
    match = dice.choice(found)
    near = b"%x" % max(0, int(match[1], 16) + dice.choice((-1, 1, 2, 16)))
    return data[: match.start(1)] + dice.choice((near, near, *SIZES)) + data[match.end(1) :]


def loosen(dice: Random, data: bytes) -> bytes:
    """A line end is not quite one; now and then, none is."""
    to = dice.choice((b"\n", b"\r", b"\r\r\n", b"\n\r", b" \r\n", b"\r\n ", b"\r\n\t", b"\x00\r\n", b"\r \n"))
    if dice.random() < 0.1:
        return data.replace(b"\r\n", to)
    found = [match.start() for match in re.finditer(rb"\r\n", data)]
    if not found:
        return data
    at = dice.choice(found)
    return data[:at] + to + data[at + 2 :]


def older(dice: Random, data: bytes) -> bytes:
    """Another version, or what should be one."""
    words = (
        b"HTTP/1.0",
        b"HTTP/2.0",
        b"HTTP/0.9",
        b"HTTP/1.2",
        b"HTTP/1.10",
        b"http/1.1",
        b"HTTP/11",
        b"HTTP/1.1 ",
        b"",
    )
    found = [match.start() for match in re.finditer(rb"HTTP/1\.1", data)]
    if not found:
        return data
    at = dice.choice(found)
    return data[:at] + dice.choice(words) + data[at + 8 :]


def smuggle(dice: Random, data: bytes) -> bytes:
    """The end of a message, and another one, where a body or a header could be."""
    at = _place(dice, data)
    inner = b"GET /v1/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
    return data[:at] + dice.choice((b"", b"\r\n", b"0\r\n\r\n", b"\r\n\r\n", b"\n\n")) + inner + data[at:]


def truncate(dice: Random, data: bytes) -> bytes:
    """The rest does not come."""
    return data[: dice.randrange(1, len(data) + 1)]


MUTATIONS: tuple[Mutation, ...] = (
    flip, flip, insert, insert, delete, duplicate, swap, repeat, drop, add, recode, recode, relength, resize, loosen,
    loosen, older, smuggle, truncate,
)  # fmt: skip


def mutate(dice: Random, data: bytes, times: int) -> bytes:
    """That many mutations, one upon another."""
    for _ in range(times):
        data = dice.choice(MUTATIONS)(dice, data) or b"\r\n"
    return data


def _place(dice: Random, data: bytes) -> int:
    """Anywhere, or at the beginning or end of a line."""
    ends = [match.start() for match in re.finditer(rb"\r\n", data)]
    if not ends or dice.random() < 0.4:
        return dice.randrange(len(data))
    return dice.choice(ends) + dice.choice((0, 0, 1, 2))


def _add(dice: Random, data: bytes, line: bytes) -> bytes:
    """Behind a line of a head, or of what could be one."""
    ends = [match.start() for match in re.finditer(rb"\r\n", data)]
    if not ends:
        return data + line
    at = dice.choice(ends) + 2
    return data[:at] + line + b"\r\n" + data[at:]
