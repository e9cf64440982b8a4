"""A server process that speaks HTTPS, and one that listens on IPv6."""

import json
import ssl

import pytest

from tests.kit.certificates import self_signed
from tests.kit.client import connected
from tests.kit.command import command
from tests.kit.house import request
from tests.kit.process import serving
from tests.kit.store import ACCOUNT

HEALTH = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"


@pytest.fixture
def files(tmp_path):
    return self_signed(tmp_path, "localhost", "127.0.0.1", "::1")


def flags(files):
    return "--tls-certificate", str(files[0]), "--tls-key", str(files[1])


async def test_calls_and_administration_are_served_over_https(tmp_path, files):
    trust = ssl.create_default_context(cafile=files[0])
    async with serving(tmp_path / "data", *flags(files), gateways=()) as server:
        assert f"listens on https://127.0.0.1:{server.port}" in server.greeting
        assert f"curl https://127.0.0.1:{server.port}/v1/" in server.greeting
        async with connected(server.port, tls=trust) as client:
            assert json.loads((await client.ask(HEALTH)).body) == {"status": "ok"}
            head = (
                f"GET /client/v4/user/tokens/verify HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {server.token}\r\n\r\n"
            )
            assert (await client.ask(head.encode())).status == 200
            call = request(headers={"cf-aig-authorization": f"Bearer {server.token}"})
            answer = await client.ask(call.replace(ACCOUNT.encode(), server.account.encode()))
            assert answer.status == 200
        async with connected(server.port) as client:
            assert b"this port speaks HTTPS" in (await client.ask(HEALTH)).body
        async with connected(server.port, tls=trust) as idle:
            assert (await idle.ask(HEALTH)).status == 200
            assert await server.stop() == 0
        assert "Traceback" not in server.said


def refusal(tmp_path, *flags):
    """Exit status and words of a start with these flags."""
    done = command("serve", "--port", "0", "--data-dir", str(tmp_path / "data"), *flags, cwd=tmp_path)
    return done.status, done.err


def test_a_certificate_that_cannot_be_used_is_refused_before_anything_is_made(tmp_path, files):
    files[1].write_text("no key")
    status, said = refusal(tmp_path, *flags(files))
    assert status == 1
    assert f"Penstock cannot start: tls_key: {files[1]} holds no private key in PEM" in said
    assert not (tmp_path / "data").exists()


def test_a_certificate_without_its_key_is_refused(tmp_path, files):
    status, said = refusal(tmp_path, *flags(files)[:2])
    assert status == 2
    assert "tls_certificate, tls_key: HTTPS needs both, or neither" in said


@pytest.mark.parametrize(
    ("host", "shown", "reached"),
    [
        pytest.param("::1", "[::1]", ["::1"], marks=pytest.mark.deep),
        ("::", "[::]", ["::1", "127.0.0.1"]),
        ("0.0.0.0", "0.0.0.0", ["127.0.0.1"]),
    ],
)
async def test_every_kind_of_address_can_be_listened_on(tmp_path, host, shown, reached):
    lines = {"PENSTOCK_ACCESS_LOG": "true"}
    async with serving(tmp_path / "data", "--host", host, environ=lines, gateways=()) as server:
        assert f"listens on http://{shown}:{server.port}" in server.greeting
        for address in reached:
            async with connected(server.port, host=address) as client:
                answer = await client.ask(HEALTH.replace(b"host: x", b"host: [::1]:%d" % server.port))
                assert answer.status == 200
                assert (await client.ask(request(gateway="nowhere"))).status in {400, 401}
        assert await server.stop() == 0
        said = [json.loads(line) for line in server.said.splitlines() if '"call"' in line]
        assert [line["client"] for line in said] == reached
