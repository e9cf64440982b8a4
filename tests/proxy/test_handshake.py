"""Clients that speak TLS, begin to, or do not."""

import asyncio
import socket
import ssl
from contextlib import suppress

import pytest
import pytest_asyncio

from tests.kit.certificates import self_signed
from tests.kit.client import connected, until
from tests.kit.house import envelope, house, request

pytestmark = pytest.mark.asyncio(loop_scope="module")

HEALTH = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"
STREAM = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"hello"}]}'


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    certificate, key = self_signed(tmp_path_factory.mktemp("tls"), "localhost", "127.0.0.1")
    return {"tls_certificate": str(certificate), "tls_key": str(key)}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there(files):
    """Short limits; no fault may reach the loop."""
    faults = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: faults.append(context))
    async with house(head_timeout=0.3, keepalive_timeout=0.3, **files) as made:
        yield made
        await made.quiet()
    assert faults == []


def hello():
    """The first bytes of a handshake."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    talk = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        talk.do_handshake()
    return outgoing.read()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_both_planes_are_served(there, version):
    there.tls.minimum_version = there.tls.maximum_version = version
    there.tls.set_alpn_protocols(["h2", "http/1.1"])
    try:
        async with there.client() as client:
            spoken = client.writer.get_extra_info("ssl_object")
            assert spoken.version() == version.name.replace("_", ".")
            assert spoken.selected_alpn_protocol() == "http/1.1"
            for _ in range(3):
                assert (await client.ask(HEALTH)).status == 200
                assert (await client.ask(request())).status == 200
    finally:
        there.tls.minimum_version, there.tls.maximum_version = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.MAXIMUM_SUPPORTED


async def test_an_old_version_is_refused(there):
    old = ssl.create_default_context()
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        async with connected(there.server.port, tls=old) as client:
            await client.ask(HEALTH)


async def test_a_client_that_does_not_know_the_certificate_leaves_nothing_behind(there):
    with pytest.raises(ssl.SSLCertVerificationError):
        async with connected(there.server.port, tls=ssl.create_default_context()):
            pass
    await there.quiet()


@pytest.mark.parametrize("data", [HEALTH, request(), b"GET", b"\x00", b"\r\n\r\n", b"x" * 100_000])
async def test_a_client_without_tls_is_told(there, data):
    async with connected(there.server.port) as client:
        client.writer.write(data)
        answer = await client.answer()
        assert (answer.status, answer.headers["connection"]) == (400, "close")
        assert b"this port speaks HTTPS" in answer.body
        assert await client.rest() == b""
    await there.quiet()


async def test_a_client_without_tls_is_told_in_the_words_of_its_plane(there):
    async with connected(there.server.port) as client:
        envelope(await client.ask(request()), 400, 2019)
    async with connected(there.server.port) as client:
        assert b'"code":7001' in (await client.ask(HEALTH)).body


async def test_a_client_with_tls_at_a_port_without_it_is_answered_and_closed():
    async with house() as made, made.client() as client:
        await client.send(hello())
        assert (await client.answer()).status == 400
        assert await client.rest() == b""


@pytest.mark.parametrize("sent", ["nothing", "a byte", "half of it", "all but an answer"])
@pytest.mark.parametrize("then", ["waits", "half_close", "reset", "close"])
async def test_a_handshake_that_does_not_come_about_is_ended_and_leaves_nothing(there, sent, then):
    first = hello()
    data = {"nothing": b"", "a byte": first[:1], "half of it": first[: len(first) // 2], "all but an answer": first}[
        sent
    ]
    async with connected(there.server.port) as client:
        await until(lambda: there.server.app.plane.connections == 1)
        if data:
            await client.send(data)
        if then != "waits":
            getattr(client, then)()
        if then in ("waits", "half_close"):
            await client.rest()
        await there.quiet()


async def test_a_handshake_of_nonsense_is_ended(there):
    async with connected(there.server.port) as client:
        await client.send(b"\x16\x03\x01\x02\x00" + b"\xff" * 600)
        await client.rest()
    await there.quiet()


async def test_a_trickled_handshake_comes_about(there):
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    talk = there.tls.wrap_bio(incoming, outgoing, server_hostname="localhost")
    async with connected(there.server.port) as client:
        while True:
            try:
                talk.do_handshake()
                break
            except ssl.SSLWantReadError:
                for byte in outgoing.read():
                    await client.send(bytes([byte]))
                    await asyncio.sleep(0)
                incoming.write(await client.reader.read(1 << 16))
        talk.write(HEALTH)
        await client.send(outgoing.read())  # the end of the handshake and the request, in one
        data = b""
        while not data.endswith(b"}"):
            incoming.write(await client.reader.read(1 << 16))
            with suppress(ssl.SSLWantReadError):
                data += talk.read(1 << 16)
        assert data.startswith(b"HTTP/1.1 200 ")


async def test_connections_in_their_handshake_count(files):
    async with house(max_connections=2, **files) as small:
        async with connected(small.server.port), connected(small.server.port):
            await until(lambda: small.server.app.plane.connections == 2)
            async with small.client() as three:
                envelope(await three.answer(), 503, 2010)
                assert await three.rest() == b""
        await until(lambda: small.server.app.plane.connections == 0)
        async with small.client() as four:
            assert (await four.ask(HEALTH)).status == 200


async def test_an_idle_connection_is_closed_with_a_goodbye(there):
    async with there.client() as client:
        assert (await client.ask(HEALTH)).status == 200
        assert await client.rest() == b""


async def test_connections_that_are_idle_or_in_their_handshake_do_not_hold_up_a_stop(files):
    async with (
        house(stop_timeout=60.0, **files) as made,
        connected(made.server.port),
        made.client() as idle,
        made.client() as deaf,
    ):
        assert (await idle.ask(HEALTH)).status == 200
        assert (await deaf.ask(HEALTH)).status == 200
        deaf.deafen()
        await until(lambda: made.server.app.plane.connections == 3)
        made.server.server.should_exit = True
        await until(lambda: made.server.app.plane.connections == 0)
        assert await idle.rest() == b""


async def test_a_client_that_does_not_read_is_dropped(files):
    big = request(
        "openai/x", headers={"x-mock-echo": "body", "content-type": "application/octet-stream"}, body=b"x" * 8_000_000
    )
    async with house(write_timeout=0.3, **files) as made, made.client(limit=1 << 10) as client:
        client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.deafen()
        client.writer.write(big)
        await made.quiet()


async def test_a_stream_comes_frame_by_frame(there):
    async with there.client() as client:
        await client.send(request(headers={"x-mock-frames": "20", "x-mock-pace": "5"}, body=STREAM))
        answer = await client.answer()
        assert answer.whole
        assert len(answer.chunks) > 10
