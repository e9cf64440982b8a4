"""``penstock mock`` as a process."""

import asyncio
import signal
import sys

import httpx
import pytest

from tests.kit.command import command


async def test_it_says_where_it_listens_answers_there_and_ends_on_a_signal():
    pipe = asyncio.subprocess.PIPE
    command = [sys.executable, "-m", "penstock", "mock", "--port", "0", "--require-key", "sk-made-up"]
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    assert process.stdout
    line = (await process.stdout.readline()).decode()
    assert line.startswith("penstock mock listening on http://127.0.0.1:")
    async with httpx.AsyncClient(trust_env=False) as asking:
        url, key = f"{line.split()[-1]}/openai/models", {"authorization": "Bearer sk-made-up"}
        assert (await asking.get(url, headers=key)).status_code == 200
        assert (await asking.get(url)).status_code == 401
    process.send_signal(signal.SIGTERM)
    out, err = await process.communicate()
    assert (out, err, process.returncode) == (b"", b"", 0)


@pytest.mark.parametrize("flag", ["--check-signatures", "--check-assertions"])
def test_a_flag_that_cannot_be_read_is_refused(flag: str):
    done = command("mock", flag, "nothing")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(f"penstock mock: {flag}: must be ")
