"""``python -m penstock.mock`` as a process."""

import asyncio
import signal
import sys

import httpx


async def test_it_serves_until_a_signal():
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "penstock.mock", "--port", "0", stdout=pipe)
    assert process.stdout
    url = (await process.stdout.readline()).split()[-1].decode()
    async with httpx.AsyncClient(trust_env=False) as asking:
        assert (await asking.get(f"{url}/_mock/stats")).json()["requests_begun"] == 0
    process.send_signal(signal.SIGINT)
    await process.communicate()
    assert process.returncode == 0
