"""Every way in which a provider can fail, times plain answers and streams, small and large requests, clients that stay
and that leave: the documented answer, within the limits, and nothing left over.

The table of faults in docs/reliability.md is held to ``FAULTS``.
"""

import asyncio
import contextlib
import itertools
import re
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from penstock.core import codec
from penstock.model.record import LogRecord
from tests.kit.client import Answer, Client
from tests.kit.house import House, house, request
from tests.kit.provider import Peer, providing

LIMITS: dict[str, Any] = {"first_byte_timeout": 0.5, "idle_timeout": 0.5, "call_timeout": 2.0, "connect_timeout": 2.0}
LARGE = 10_000_000
HUNG = 10.0  # seconds: more than all limits together
PIECE = b'data: {"choices":[{"index":0,"delta":{"content":"hello"}}]}\n\n'
PLAIN = b'{"choices":[{"index":0,"message":{"role":"assistant","content":"hello"}}]}'
CUT = "what came, then no proper end; a stream gets an error frame first"


class Fault(NamedTuple):
    """What the provider does, and what of it is documented: the answer, the outcome, and a word of the message."""

    says: str
    status: int  # 200: the head had come
    outcome: str
    word: str = ""
    provider: str = "openai"


FAULTS = {
    "refused": Fault("no connection: refused", 502, "failed", "refused", "groq"),
    "reset": Fault("a reset instead of an answer", 502, "failed", "closed the connection"),
    "stall before head": Fault("no answer within `first_byte_timeout`", 504, "failed", "timed out"),
    "stall in head": Fault("a head that stops halfway", 504, "failed", "timed out"),
    "drip of a head": Fault("a head that trickles for longer than `idle_timeout`", 504, "failed", "timed out"),
    "stall in body": Fault("a body that stops for `idle_timeout`", 200, "broken", "sent nothing"),
    "half-closed": Fault("the end of its sending side, without an answer", 502, "failed", "closed the connection"),
    "half-closed in body": Fault("the end of its sending side amid the body", 200, "broken"),
    "reset in body": Fault("a reset amid the body", 200, "broken"),
    "slow drip": Fault("an answer byte by byte, each in time", 200, "answered"),
    "endless drip": Fault("an answer that takes longer than `call_timeout`", 200, "broken", "longer than"),
    "oversized head": Fault("a head of more than 64 KiB", 502, "failed", "64 KiB"),
    "no HTTP": Fault("bytes that are no HTTP", 502, "failed", "not HTTP/1.1"),
    "bad chunk": Fault("a chunk without a valid size", 200, "broken", "not HTTP/1.1"),
    "bad length": Fault("two different lengths", 502, "failed", "not HTTP/1.1"),
    "TLS failure": Fault("a certificate that nobody vouches for", 502, "failed", "certificate", "mistral"),
    "no TLS": Fault("no TLS where there should be", 502, "failed", "TLS", "cohere"),
    "DNS failure": Fault("a name that does not resolve", 502, "failed", "nowhere.invalid", "deepseek"),
}
CELLS = list(itertools.product(FAULTS, ("JSON", "stream"), ("small", "10 MB"), ("stays", "leaves")))


async def head(peer: Peer, length: bytes, *, stream: bool) -> None:
    kind = b"text/event-stream" if stream else b"application/json"
    await peer.say(b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\n%b\r\n" % (kind, length))


async def chunked(peer: Peer, *, stream: bool) -> None:
    await head(peer, b"transfer-encoding: chunked\r\n", stream=stream)
    await peer.say(b"%x\r\n%b\r\n" % (len(PIECE), PIECE))


async def reset(peer: Peer) -> None:
    sock: socket.socket = peer.writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.writer.transport.abort()


async def drip(peer: Peer, data: bytes, pause: float) -> None:
    for at in range(len(data)):
        await peer.say(data[at : at + 1])
        await asyncio.sleep(pause)


async def misbehave(peer: Peer) -> None:
    """What the header says."""
    start = await peer.reader.readuntil(b"\r\n\r\n")
    found = re.search(rb"x-fault: (.*?)\r\n", start)
    assert found is not None
    fault, stream = found[1].decode(), b"x-stream: 1" in start
    if not fault.startswith("stall"):
        length = re.search(rb"content-length: (\d+)", start)
        await peer.reader.readexactly(int(length[1]) if length else 0)
    match fault:
        case "reset":
            await reset(peer)
        case "stall in head":
            await peer.say(b"HTTP/1.1 200 OK\r\ncontent-")
        case "drip of a head":
            await drip(peer, b"HTTP/1.1 200 OK\r\nx-slow: %b" % (b"x" * 1000), 0.02)
        case "stall in body":
            await chunked(peer, stream=stream)
        case "half-closed":
            peer.writer.write_eof()
        case "half-closed in body":
            await chunked(peer, stream=stream)
            peer.writer.write_eof()
        case "reset in body":
            await chunked(peer, stream=stream)
            await asyncio.sleep(0.05)
            await reset(peer)
        case "slow drip":
            body = PIECE + b"data: [DONE]\n\n" if stream else PLAIN
            await head(peer, b"content-length: %d\r\n" % len(body), stream=stream)
            await drip(peer, body, 0.005)
        case "endless drip":
            await head(peer, b"content-length: 1000000\r\n", stream=stream)
            await drip(peer, PIECE * 100, 0.05)
        case "oversized head":
            await peer.say(b"HTTP/1.1 200 OK\r\n" + b"x-large: %b\r\n" % (b"x" * 1000) * 80)
        case "no HTTP":
            await peer.say(b"SSH-2.0-OpenSSH_9.2p1\r\n")
        case "bad chunk":
            await chunked(peer, stream=stream)
            await peer.say(b"xyz\r\nhello\r\n")
        case "bad length":
            await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!")
        case _:
            pass  # stalls before the head
    await peer.gone()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def faulty(unused_tcp_port_factory: Callable[[], int], tmp_path_factory) -> AsyncIterator[House]:
    context = self_signed(tmp_path_factory.mktemp("tls"))
    async with providing(misbehave) as provider, contextlib.AsyncExitStack() as stack:
        tls = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
        plain = await asyncio.start_server(greet, "127.0.0.1", 0)
        stack.callback(tls.close)
        stack.callback(plain.close)
        at = {
            "openai": provider.url,
            "groq": f"http://127.0.0.1:{unused_tcp_port_factory()}",
            "mistral": f"https://127.0.0.1:{tls.sockets[0].getsockname()[1]}",
            "cohere": f"https://127.0.0.1:{plain.sockets[0].getsockname()[1]}",
            "deepseek": "http://nowhere.invalid",
        }
        async with house(providers=at, pool_idle_timeout=0.1, **LIMITS) as made:
            yield made


async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server that speaks first, and no TLS."""
    writer.write(b"220 mail.example.com ESMTP\r\n")
    await writer.drain()
    writer.close()


def self_signed(folder) -> ssl.SSLContext:
    from tests.kit.certificates import self_signed

    certificate, key = self_signed(folder, "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("name", "kind", "size", "client"), CELLS)
async def test_a_fault_has_its_documented_answer_and_leaves_nothing_over(
    faulty: House, name: str, kind: str, size: str, client: str
) -> None:
    fault, event = FAULTS[name], f"{name} {kind} {size} {client}".replace(" ", "-")
    files = open_files()
    async with asyncio.timeout(HUNG):
        async with faulty.client() as calling:
            await send(calling, fault, name, event, stream=kind == "stream", large=size == "10 MB")
            if client == "stays":
                answer = await calling.answer()
            else:
                await asyncio.sleep(0.05)
        row = await faulty.row(event)
        if client == "stays":
            expect(answer, row, fault, stream=kind == "stream")
        plane, transport = faulty.server.app.plane, faulty.server.app.transport
        while plane.calls or plane.connections or plane.bounds.budget.used or faulty.server.app.answers.used:
            await asyncio.sleep(0.005)
        while sum(transport.counts()) or open_files() > files:
            await asyncio.sleep(0.005)
    assert row.outcome == fault.outcome or (client == "leaves" and row.outcome == "client_gone")
    assert [record.event_id for record in faulty.sink.records].count(event) == 1


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def send(client: Client, fault: Fault, name: str, event: str, *, stream: bool, large: bool) -> None:
    body = codec.encode({"model": "m", "stream": stream, "messages": [], "pad": "x" * (LARGE if large else 0)})
    headers = {"x-fault": name, "x-stream": str(int(stream)), "content-type": "application/json"}
    path = f"{fault.provider}/{'v1/' if fault.provider in {'mistral', 'cohere'} else ''}chat/completions"
    client.writer.write(request(path, headers=headers, body=body, event=event))


def expect(answer: Answer, row: LogRecord, fault: Fault, *, stream: bool) -> None:
    assert answer.status == fault.status
    if fault.status != 200:
        told = codec.decode(answer.body)
        assert (answer.whole, told["httpCode"], told["internalCode"]) == (True, fault.status, 2005)
        (tried,) = codec.decode(row.detail)["attempts"]
        assert fault.word in tried.get("reason", told["message"])
        assert "reason" not in tried or not re.search(r"nowhere|127\.0|refused", told["message"])
        return
    assert answer.whole == (fault.outcome == "answered")
    assert b"[DONE]" not in answer.body or answer.whole
    if stream and not answer.whole and "content-length" not in answer.headers:
        *_, last = answer.body.strip().split(b"\n\n")
        assert codec.decode(last.removeprefix(b"data: "))["error"]
        assert fault.word.encode() in last


def test_the_documentation_lists_these_faults(root) -> None:
    page = (root / "docs" / "reliability.md").read_text("utf-8")
    for fault in FAULTS.values():
        answer = (
            {200: CUT, 502: "502", 504: "504"}[fault.status] if fault.outcome != "answered" else "the answer, whole"
        )
        assert f"| {fault.says} | {answer} | `{fault.outcome}` |" in page
