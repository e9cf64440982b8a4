"""Inputs that cost far more than they weigh, as data: each stopped the gateway once, or is like one that did."""

import gzip
import zlib
from collections.abc import Callable
from typing import NamedTuple

import brotli
import zstandard

from penstock.mock.providers import eventstream
from penstock.wire.event_stream import HEADERS, LARGEST
from tests.kit.store import ACCOUNT, SECRET

SSE = b"text/event-stream"
JSON = b"application/json"
CHAT = "openai/chat/completions"
RESPONSES = "openai/responses"
MESSAGES = "anthropic/v1/messages"
FILES = "openai/files"
CONVERSE = "aws-bedrock/bedrock-runtime/us-east-1/model/m/converse-stream"


def br(data: bytes) -> bytes:
    return brotli.compress(data, quality=5)


ENCODE: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "gzip": lambda data: gzip.compress(data, 6),
    "deflate": zlib.compress,
    "br": br,
    "zstd": zstandard.compress,
    "gzip, gzip": lambda data: gzip.compress(gzip.compress(data)),
}


class Answer(NamedTuple):
    """A provider's answer to a call of ``path``; ``chunk``: bytes of each chunk, 0: not chunked."""

    path: str
    kind: bytes
    coding: str
    body: bytes
    chunk: int = 0

    def wire(self) -> bytes:
        coding = f"content-encoding: {self.coding}\r\n".encode() if self.coding else b""
        head = b"HTTP/1.1 200 OK\r\ncontent-type: " + self.kind + b"\r\n" + coding
        if not self.chunk:
            return head + b"content-length: %d\r\n\r\n" % len(self.body) + self.body
        pieces = [self.body[at : at + self.chunk] for at in range(0, len(self.body), self.chunk)]
        framed = b"".join([b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces])
        return head + b"transfer-encoding: chunked\r\n\r\n" + framed + b"0\r\n\r\n"


def _stream(body: bytes, coding: str = "", path: str = CHAT, chunk: int = 0) -> Answer:
    return Answer(path, SSE, coding, ENCODE[coding](body), chunk)


def _whole(body: bytes, coding: str = "", path: str = CHAT, chunk: int = 0) -> Answer:
    return Answer(path, JSON, coding, ENCODE[coding](body), chunk)


_LISTS = b"[" + b"[]," * 1_000_000 + b"1]"
_GROWING = b"".join(b'data: {"type":"message_delta","usage":{"k%d":1}}\n\n' % at for at in range(6000))
_GROWING_CHAT = b"".join(
    b'data: {"choices":[],"usage":{"completion_tokens":%d,"k%d":1}}\n\n' % (at, at) for at in range(60_000)
)
_DATA = b"data:\n" * 1_500_000
_ZEROS = bytes(32 << 20)

_MESSAGE = eventstream.message({}, b"")
_TOLD = eventstream.event("metadata", b'{"usage":{"inputTokens":1}}')
_HEADED = eventstream.message({f"h{at:02}": "" for at in range(HEADERS)}, b"")
_ENCODED = eventstream.event("chunk", b'{"bytes":"%b"}' % (b"W10s" * ((LARGEST - 1000) // 4)))


def _frames(body: bytes, coding: str = "", chunk: int = 0) -> Answer:
    return Answer(CONVERSE, eventstream.KIND, coding, ENCODE[coding](body), chunk)


ANSWERS: dict[str, Callable[[], Answer]] = {
    "blank lines": lambda: _stream(b"\n\n" * 500_000),
    "blank lines, gzip": lambda: _stream(b"\n\n" * 2_000_000, "gzip"),
    "blank lines, CR, br": lambda: _stream(b"\r\r" * 1_000_000, "br"),
    "blank lines, CRLF, zstd": lambda: _stream(b"\r\n\r\n" * 500_000, "zstd"),
    "events of a field": lambda: _stream(b"data:\n\n" * 300_000, "gzip"),
    "events of an empty object": lambda: _stream(b"data:{}\n\n" * 60_000, "gzip"),
    "events of an empty object, in crumbs": lambda: _stream(b"data:{}\n\n" * 20_000, chunk=1),
    "events with usage": lambda: _stream(b'data: {"usage":{"prompt_tokens":1}}\n\n' * 30_000),
    "events with an error": lambda: _stream(b'event: error\ndata: {"error":1}\n\n' * 30_000),
    "events of responses": lambda: _stream(b'data: {"response":{"usage":{}}}\n\n' * 30_000, path=RESPONSES),
    "usage that grows": lambda: _stream(_GROWING, path=MESSAGES),
    "messages of nothing": lambda: _frames(_MESSAGE * 300_000),
    "messages of nothing, gzip": lambda: _frames(_MESSAGE * 1_000_000, "gzip"),
    "messages of nothing, in crumbs": lambda: _frames(_MESSAGE * 20_000, chunk=1),
    "messages with usage": lambda: _frames(_TOLD * 60_000),
    "messages of many headers": lambda: _frames(_HEADED * 30_000),
    "messages that are nearly too large": lambda: _frames(_ENCODED * 8),
    "a message without an end": lambda: _frames(_ENCODED[:-1]),
    "a message of 16 MiB": lambda: _frames(eventstream.event("metadata", bytes((16 << 20) - 1000)), "gzip"),
    "an event without an end": lambda: _stream(b"data: " + b"x" * (12 << 20), "gzip"),
    "an event of many lines": lambda: _stream(b"data: 1\n" * 500_000 + b"\n", "gzip"),
    "an event of many lines that say something": lambda: _stream(
        b'data: {"usage":1,\n' + _DATA + b"data: 1}\n\n", "gzip"
    ),
    "the same of Anthropic's": lambda: _stream(b'data: {"message_delta":\n' + _DATA + b"\n", "gzip", MESSAGES),
    "the same of responses": lambda: _stream(b'data: {"response":{"usage":\n' + _DATA + b"\n", "gzip", RESPONSES),
    "an event of many notes": lambda: _stream(
        b': "error" {"usage"\n' + b":\n" * 4_718_592 + b'data: {"usage":{}}\n\n', "gzip"
    ),
    "an event of many notes, CR": lambda: _stream(
        b': "error" {"usage"\r' + b":\r" * 4_718_592 + b'data: {"usage":{}}\r\r', "gzip"
    ),
    "an object of many lines": lambda: _stream(b'\n{"usage":1,"error":1,\n' + b"x\n" * 4_718_592 + b"\n", "gzip"),
    "an event of one long line": lambda: _stream(
        b'data: {"usage":1,"error":"' + b"event: " * 1_490_000 + b'"}\n\n', "gzip"
    ),
    "an event of one long line after a CR": lambda: _stream(b'data: {"error"\r' + b"x" * 10_400_000 + b"\n\n", "gzip"),
    "usage alone, in every event": lambda: _stream(b'data: {"choices":[],"usage":{}}\n\n' * 295_000),
    "usage in every event": lambda: _stream(b'data: {"choices":[0],"usage":{}}\n\n' * 290_000),
    "usage alone that grows": lambda: _stream(_GROWING_CHAT),
    "an event of many lists": lambda: _stream(b'data: {"model":' + _LISTS + b"}\n\n", "gzip"),
    "a model of many lists": lambda: _whole(b'{"model":' + _LISTS + b"}", "gzip"),
    "a usage of many lists": lambda: _whole(b'{"usage":' + _LISTS + b"}", "gzip"),
    "a usage of many members": lambda: _whole(b'{"usage":{' + b'"a":1,' * 500_000 + b'"b":1}}', "br", MESSAGES),
    "many members": lambda: _whole(b"{" + b'"model":1,' * 500_000 + b'"usage":1}'),
    "many numbers": lambda: _whole(b'{"a":[' + b"1," * 2_000_000 + b"1]}"),
    "deep": lambda: _whole(b'{"usage":' + b"[" * 2_000_000),
    "escapes": lambda: _whole(b'{"model":"' + b"\\u00e9" * 500_000 + b'"}'),
    "gzip members": lambda: Answer(FILES, JSON, "gzip", gzip.compress(b"") * 50_000),
    "gzip members, padded": lambda: Answer(FILES, JSON, "gzip", (gzip.compress(b"") + bytes(600)) * 3000),
    "zstd frames": lambda: Answer(FILES, JSON, "zstd", zstandard.compress(b"") * 300_000),
    "zstd frames to skip": lambda: Answer(FILES, JSON, "zstd", b"\x50\x2a\x4d\x18\0\0\0\0" * 300_000),
    "much of nothing, gzip": lambda: _whole(_ZEROS, "gzip", FILES),
    "much of nothing, br": lambda: _whole(_ZEROS, "br"),
    "much of nothing, zstd": lambda: _whole(_ZEROS, "zstd", FILES),
    "much of nothing, twice": lambda: _whole(_ZEROS, "gzip, gzip"),
    "crumbs": lambda: _whole(b"x" * 300_000, chunk=1, path=FILES),
    "crumbs, gzip": lambda: _stream(b"data: {}\n\n" * 20_000, "gzip", chunk=1),
}


def call(path: str, body: bytes = b'{"model":"m"}', *, method: str = "POST", headers: str = "") -> bytes:
    """A call of the data plane."""
    return _request(method, f"/v1/{ACCOUNT}/default/{path}", body, headers)


def manage(method: str, path: str, body: bytes = b"", *, headers: str = "") -> bytes:
    """A request of the control plane."""
    return _request(method, path, body, f"authorization: Bearer {SECRET}\r\n" + headers)


def _request(method: str, target: str, body: bytes, headers: str) -> bytes:
    length = "" if "transfer-encoding" in headers else f"content-length: {len(body)}\r\n"
    lines = f"{method} {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n"
    return (lines + length + headers + "\r\n").encode("latin-1") + body


def _crumbs(body: bytes, size: int) -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join([b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces]) + b"0\r\n\r\n"


def _authorization(value: str) -> bytes:
    return call("openai/x", headers=f"authorization: {value}\r\n")


_BASE = f"/client/v4/accounts/{ACCOUNT}"
_GATEWAYS = f"{_BASE}/ai-gateway/gateways"
_CACHED = "cf-aig-cache-key: x\r\ncf-aig-cache-ttl: 60\r\n"
_CHUNKED = "transfer-encoding: chunked\r\n"

_PAD = b"x" * (24 << 20)
_OPTIONS = b'{"model":"m","pad":"%b","x":[%b1],"stream":true,"stream_options":null}'
_SAME = b'{"stream":true,' + b'"stream_options":null,' * 47_000 + b'"model":"m"}'

_FAILS = 31  # steps that fail, before one that does not


def steps(*listed: bytes) -> bytes:
    """A call of the universal endpoint."""
    return call("", b"[" + b",".join(listed) + b"]")


def step(
    query: bytes = b"{}", *, headers: bytes = b"", endpoint: bytes = b"chat/completions", answer: int = 0
) -> bytes:
    """A step that the provider answers with the answer of that number."""
    told = b'"x-hostile":"%d"%b' % (answer, b"," + headers if headers else b"")
    return b'{"provider":"openai","endpoint":"%b","headers":{%b},"query":%b}' % (endpoint, told, query)


def _headers(count: int, size: int) -> bytes:
    return b",".join(b'"x-%d":"%b"' % (at, b"v" * size) for at in range(count))


def _chat(messages: int, size: int) -> bytes:
    message = b'{"role":"user","content":"%b"}' % (b"x" * size)
    return b'{"model":"m","messages":[' + b",".join([message] * messages) + b"]}"


ERRORS: dict[int, Callable[[], bytes]] = {
    1: lambda: _error(Answer(CHAT, JSON, "", b'{"error":"' + b"x" * (4 << 20) + b'"}')),
    2: lambda: _error(Answer(CHAT, JSON, "gzip", ENCODE["gzip"](_ZEROS))),
    3: lambda: _error(Answer(CHAT, JSON, "", b"x" * 200_000, chunk=1)),
}


def _error(answer: Answer) -> bytes:
    return answer.wire().replace(b"200 OK", b"503 No", 1)


STEPS: dict[str, Callable[[], bytes]] = {
    "one large step": lambda: steps(step(b'"%b"' % (b"x" * (24 << 20)))),
    "one large step, an object": lambda: call("", step(_chat(1, 24 << 20))),
    "one large step of many texts": lambda: steps(step(_chat(8000, 3100))),
    "a large step that fails, before another": lambda: steps(
        step(_chat(1000, 12_000), answer=1), step(_chat(1000, 12_000))
    ),
    "millions of steps": lambda: steps(*[b"{}"] * 8_000_000),
    "millions of members": lambda: steps(step(b"[" + b"[]," * 8_000_000 + b"1]")),
    "millions of members of a step": lambda: steps(b"{" + b'"provider":"x",' * 1_600_000 + b'"endpoint":"x"}'),
    "as many members as are read": lambda: steps(step(b"[" + b"[]," * 120_000 + b"1]")),
    "as many members as are read at once": lambda: steps(step(b"[" + b"[]," * 86_000 + b"1]")),
    "quotation marks": lambda: steps(step(b'"%b"' % (b'\\"' * 12_000_000))),
    "backslashes": lambda: steps(step(b'"%b"' % (b"\\" * (24 << 20)))),
    "white space": lambda: steps(b" " * (24 << 20)),
    "halves of surrogates": lambda: steps(step(b'["%b",%b1]' % (rb"\ud800" * 20_000, b"[]," * 40_000))),
    "a deep query": lambda: steps(step(b"[" * 100_000 + b"]" * 100_000)),
    "deep headers": lambda: steps(step(headers=b'"x":' + b"[" * 30_000 + b"]" * 30_000)),
    "the same step again and again": lambda: steps(*[step(_chat(9, 99), answer=3)] * _FAILS, step()),
    "large heads": lambda: steps(*[step(headers=_headers(99, 600), answer=1)] * _FAILS, step()),
    "heads of many members": lambda: steps(*[step(headers=_headers(6000, 0))] * 32),
    "heads of one member": lambda: steps(*[step(headers=b",".join([b'"x":1'] * 1300))] * 32),
    "heads of lists": lambda: steps(*[step(headers=b'"x":[' + b"[]," * 2500 + b"1]")] * 32),
    "heads of escapes": lambda: steps(*[step(headers=b'"x":"%b"' % (rb"\\\u00e9" * 900))] * 32),
    "endless endpoints": lambda: steps(*[step(endpoint=b"a/" * 30_000 + b"?" + b"k=a&" * 1000, answer=1)] * 32),
    "an endpoint without end": lambda: steps(step(endpoint=b"x" * (24 << 20))),
    "providers that nobody knows": lambda: steps(*[step().replace(b"openai", b"p" * 250)] * 32),
    "large errors": lambda: steps(*[step(answer=1)] * _FAILS, step()),
    "errors that decode to more": lambda: steps(*[step(answer=2)] * _FAILS, step()),
    "errors in crumbs": lambda: steps(*[step(answer=3)] * 32),
}

REQUESTS: dict[str, Callable[[], bytes]] = {
    "a query of many parameters": lambda: call("openai/x?" + "&" * 60_000),
    "a query of semicolons": lambda: call("openai/x?" + ";" * 60_000),
    "a query of names": lambda: call("openai/x?" + "key=a&" * 10_000),
    "a query of nearly too many": lambda: call("openai/x?" + "key=%61+&" * 999),
    "a query of one long text": lambda: call("openai/x?a=" + ("b" * 21 + ",") * 2700),
    "a query of one long escape": lambda: call("openai/x?a=" + "%2b" * 20_000),
    "a credential of many parts": lambda: _authorization("Basic " + ",".join(["b" * 8 + "=" + "c" * 22] * 1900)),
    "a credential of many words": lambda: _authorization("Basic " + "QUFBQUFBQUFBQUFBQUFBQUFBQUE= " * 2200),
    "many headers": lambda: call("openai/x", headers="a:\r\n" * 12_000),
    "a header that names many": lambda: call("openai/x", headers="connection: " + "a," * 30_000 + "\r\n"),
    "a list of codings": lambda: call("openai/x", headers="accept-encoding: " + "gzip," * 12_000 + "\r\n"),
    "a long path": lambda: call("openai/" + "a/" * 30_000),
    "a path of escapes": lambda: call("openai/" + "%2e" * 20_000),
    "a model of many lists": lambda: call(CHAT, b'{"model":[' + b"[]," * 2_000_000 + b"1]}", headers=_CACHED),
    "options of many members": lambda: call(
        CHAT, b'{"stream":true,"stream_options":{' + b'"a":1,' * 150_000 + b'"b":1}}'
    ),
    "options of many places": lambda: call(CHAT, _OPTIONS % (_PAD, b'{"stream_options":null},' * 5000)),
    "options of many places in a small body": lambda: call(CHAT, _SAME),
    "options behind much that is escaped": lambda: call(CHAT, _OPTIONS % (b'\\"stream_option' * 1_600_000, b"")),
    "a body in crumbs": lambda: call(FILES, _crumbs(b"x" * 500_000, 1), headers=_CHUNKED),
    "a body in small chunks": lambda: call(FILES, _crumbs(b"x" * 900_000, 33), headers=_CHUNKED),
    "a gateway of many members": lambda: manage("POST", _GATEWAYS, _members(90_000)),
    "a gateway of many inner members": lambda: manage("POST", _GATEWAYS, b'{"dlp":' + _members(90_000) + b"}"),
    "a token of many scopes": lambda: manage("POST", f"{_BASE}/tokens", b'{"scopes":[' + b"1," * 400_000 + b"1]}"),
    "a list of lists": lambda: manage("POST", _GATEWAYS, b"[" + b"[]," * 300_000 + b"1]"),
    "a deep body": lambda: manage("POST", _GATEWAYS, b"[" * 900_000),
    "a body of digits": lambda: manage("POST", _GATEWAYS, b'{"a":' + b"9" * 900_000 + b"}"),
    "a body of the API in crumbs": lambda: manage("POST", _GATEWAYS, _crumbs(b" " * 300_000, 1), headers=_CHUNKED),
    "a list of logs with many parameters": lambda: manage("GET", f"{_GATEWAYS}/default/logs?" + "a=1&" * 9000),
    "a long search": lambda: manage("GET", f"{_GATEWAYS}?search=" + "%41" * 20_000),
    "the page of the API": lambda: manage("GET", "/docs"),
    "the document of the API": lambda: manage("GET", "/openapi.json"),
    "the figures": lambda: manage("GET", "/metrics"),
}


def _members(count: int) -> bytes:
    return b"{" + b",".join(b'"m%d":1' % at for at in range(count)) + b"}"


# Streams that the log has kept, to be shown as JSON

_START = b'data: {"type":"message_start","message":{}}\n\n'
_BLOCK = b'data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n'
_DELTA = b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"word "}}\n\n'

STORED: dict[str, Callable[[], bytes]] = {
    "many deltas": lambda: _START + _BLOCK + _DELTA * 60_000,
    "many choices": lambda: b'data: {"choices":[{"delta":{"content":"word "}}]}\n\n' * 60_000,
    "blank lines": lambda: b"\n\n" * 3_000_000,
    "one event of many lists": lambda: b'data: {"choices":' + _LISTS + b"}\n\n",
    "many events of lists": lambda: (b'data: {"choices":[' + b"[]," * 20_000 + b"1]}\n\n") * 40,
    "a response of many lists": lambda: b'data: {"type":"response.completed","response":{"a":' + _LISTS + b"}}\n\n",
    "many lines": lambda: b"data: 1\n" * 500_000,
    "an event of many lines": lambda: _DATA + b"\n",
    "an event of many lines, CR": lambda: b"data: 1\r" + b":\r" * 4_718_592 + b"\r",
    "an event of many lines without an end, CR": lambda: b"data: 1\n\n" + b":\r" * 4_718_592,
    "deep": lambda: b"data: " + b"[" * 2_000_000,
    "messages of nothing": lambda: _MESSAGE * 600_000,
    "messages of lists": lambda: eventstream.event("messageStart", b"[" + b"[]," * 20_000 + b"1]") * 40,
    "messages that are encoded": lambda: _ENCODED * 8,
}
