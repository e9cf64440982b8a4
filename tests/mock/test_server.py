"""The server as others start it: in their loop, and as a process."""

import asyncio
import signal
import socket
import sys
from pathlib import Path

import httpx
import pytest

from penstock import mock
from penstock.mock.server import run


async def test_two_servers_live_side_by_side_in_one_loop(server, client):
    other = await mock.start()
    assert other.port != server.port
    async with httpx.AsyncClient(trust_env=False) as asking:
        assert (await asking.get(f"{other.url}/openai/models")).status_code == 200
    await other.stop()
    assert (other.stats()["answers_completed"], server.stats()["answers_completed"]) == (1, 0)


async def test_a_stop_ends_what_is_open():
    server = await mock.start()
    async with httpx.AsyncClient(trust_env=False) as asking:
        with pytest.raises(httpx.TransportError):
            async with asking.stream("GET", f"{server.url}/openai/models?x-mock-stall=body") as answer:
                await server.stop()
                await answer.aread()
        with pytest.raises(httpx.ConnectError):
            await asking.get(f"{server.url}/openai/models")
    assert server.stats()["connections_open"] == 0


async def test_waiting_for_what_never_comes_ends_with_the_counters(server):
    with pytest.raises(TimeoutError, match="connections_open"):
        await server.until(lambda stats: False, 0.01)


async def test_ipv6_where_there_is_some_and_an_error_where_there_is_none():
    loopback = f"{1:032x}"  # ::1, as the kernel lists its addresses
    addresses = Path("/proc/net/if_inet6")
    if not addresses.exists() or loopback not in addresses.read_text():
        with pytest.raises(OSError, match="::1"):
            await mock.start("::1")
        return
    server = await mock.start("::1")
    async with httpx.AsyncClient(trust_env=False) as asking:
        assert (await asking.get(f"{server.url}/openai/models")).status_code == 200
    await server.stop()


def test_a_port_that_is_taken_is_told_plainly(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run("127.0.0.1", port) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(f"penstock mock: cannot listen on 127.0.0.1 port {port}: ")
    assert told.err.count("\n") == 1


async def test_as_a_process_it_serves_until_a_signal():
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "penstock.mock", "--port", "0", stdout=pipe)
    assert process.stdout
    url = (await process.stdout.readline()).split()[-1].decode()
    async with httpx.AsyncClient(trust_env=False) as asking:
        assert (await asking.get(f"{url}/_mock/stats")).json()["requests_begun"] == 0
    process.send_signal(signal.SIGINT)
    await process.communicate()
    assert process.returncode == 0
