"""The configuration of nginx that the guide gives, on a real nginx in front of a real server."""

import asyncio
import re
import shutil
import socket
import ssl
import subprocess
import sys
from contextlib import asynccontextmanager, suppress

import pytest

from penstock.core import codec
from tests.kit.certificates import self_signed
from tests.kit.process import eventually, serving

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


@pytest.fixture(scope="session")
def nginx(root):
    """The program; of Debian's package where the machine has none."""
    if shutil.which("nginx", path=PATH) is None:
        subprocess.run([sys.executable, root / "scripts" / "debian.py", "nginx"], check=True)
    return shutil.which("nginx", path=PATH)


@asynccontextmanager
async def in_front(nginx, root, tmp_path, port, upstream_port):
    """nginx by the guide's configuration, its names and files replaced by those of the test."""
    certificate, key = self_signed(tmp_path, "127.0.0.1")
    (snippet,) = re.findall(r"```nginx\n(.*?)```", (root / "docs" / "deployment.md").read_text("utf-8"), re.DOTALL)
    for before, after in {
        "127.0.0.1:8787": f"127.0.0.1:{upstream_port}",
        "listen 443": f"listen 127.0.0.1:{port}",
        "/etc/ssl/gateway.example.com.pem": str(certificate),
        "/etc/ssl/gateway.example.com.key": str(key),
    }.items():
        assert before in snippet
        snippet = snippet.replace(before, after)
    places = "".join(
        f"{name}_temp_path {tmp_path}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    file = tmp_path / "nginx.conf"
    file.write_text(
        f"daemon off; master_process off; pid {tmp_path}/nginx.pid; error_log {tmp_path}/error.log;\n"
        f"events {{}}\nhttp {{ access_log off; {places} {snippet} }}\n"
    )
    process = await asyncio.create_subprocess_exec(nginx, "-p", str(tmp_path), "-c", str(file))
    try:
        await eventually(lambda: process.returncode is not None or listens(port))
        assert process.returncode is None, (tmp_path / "error.log").read_text()
        yield trusting(certificate)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def listens(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def trusting(certificate):
    context = ssl.create_default_context(cafile=str(certificate))
    context.check_hostname = False
    return context


@asynccontextmanager
async def connected(port, tls):
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def call(server, body, *headers):
    data = codec.encode(body)
    lines = [
        f"POST /v1/{server.account}/default/openai/chat/completions HTTP/1.1",
        *("host: gateway.example.com", "content-type: application/json", "authorization: Bearer any", *headers),
        f"content-length: {len(data)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + data


async def test_nginx_hands_streams_on_as_they_come_and_takes_large_requests(nginx, root, tmp_path, unused_tcp_port):
    prompt = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "x"}]}
    async with (
        serving(tmp_path / "data") as server,
        in_front(nginx, root, tmp_path, unused_tcp_port, server.port) as tls,
    ):
        async with connected(unused_tcp_port, tls) as (reader, writer):
            # A stream that stops for ever after its first frames: behind a buffer nobody would see them.
            writer.write(call(server, prompt | {"stream": True}, "x-mock-stall: 2"))
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
            frame = await asyncio.wait_for(reader.readuntil(b"\n\n"), 30)
        assert head.startswith(b"HTTP/1.1 200")
        assert b"data: {" in frame
        async with connected(unused_tcp_port, tls) as (reader, writer):
            large = prompt | {"messages": [{"role": "user", "content": "x" * 5_000_000}]}
            writer.write(call(server, large))
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
        assert head.startswith(b"HTTP/1.1 200")
