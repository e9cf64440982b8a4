"""``penstock mock`` as a process."""

import asyncio
import signal
import sys

import httpx


async def test_it_says_where_it_listens_answers_there_and_ends_on_a_signal():
    pipe = asyncio.subprocess.PIPE
    command = [sys.executable, "-m", "penstock", "mock", "--port", "0"]
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    assert process.stdout
    line = (await process.stdout.readline()).decode()
    assert line.startswith("penstock mock listening on http://127.0.0.1:")
    async with httpx.AsyncClient(trust_env=False) as asking:
        assert (await asking.get(f"{line.split()[-1]}/openai/models")).status_code == 200
    process.send_signal(signal.SIGTERM)
    out, err = await process.communicate()
    assert (out, err, process.returncode) == (b"", b"", 0)
