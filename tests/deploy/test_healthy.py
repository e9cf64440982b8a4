"""The health check of the image, beside a real server."""

import asyncio
import sys

from tests.kit.certificates import self_signed
from tests.kit.process import environment, serving


async def ask(root, **environ):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(root / "deploy" / "healthy.py")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environment(environ),
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


async def test_the_health_check_tells_a_server_that_lives_from_one_that_does_not(root, tmp_path):
    async with serving(tmp_path / "data", gateways=()) as server:
        at = {"PENSTOCK_HOST": "0.0.0.0", "PENSTOCK_PORT": str(server.port)}
        assert await ask(root, **at) == (0, "")
        assert await ask(root, **at, HTTP_PROXY="http://127.0.0.1:1", http_proxy="http://127.0.0.1:1") == (0, "")
        await server.kill()
        status, said = await ask(root, **at)
    assert status == 1
    assert "refused" in said


async def test_the_health_check_speaks_https_where_the_server_does(root, tmp_path):
    certificate, key = self_signed(tmp_path, "gateway.example.com")
    tls = {"PENSTOCK_TLS_CERTIFICATE": str(certificate), "PENSTOCK_TLS_KEY": str(key)}
    async with serving(tmp_path / "data", environ=tls, gateways=()) as server:
        assert await ask(root, **tls, PENSTOCK_PORT=str(server.port)) == (0, "")


async def test_the_health_check_says_which_setting_is_wrong(root):
    status, said = await ask(root, PENSTOCK_PORT="many")
    assert status == 1
    assert "port" in said
