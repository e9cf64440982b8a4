"""Several that accept on one socket, each one connection a turn."""

import asyncio
import os
import resource
import socket
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from penstock.core.tasks import Tasks
from penstock.proxy.acceptor import Acceptor
from tests.kit.client import until


class Greeter(asyncio.Protocol):
    """Says its name to whoever connects."""

    def __init__(self, name, made):
        self.name = name
        self.made = made

    def connection_made(self, transport: Any):  # uvloop's does not inherit from asyncio's
        self.made.append(transport)
        transport.write(self.name)


class Taker:
    """An acceptor and the connections that it took."""

    def __init__(self, listener, name=b"x"):
        self.tasks = Tasks()
        self.made = []
        self.acceptor = Acceptor(listener, lambda: Greeter(name, self.made), self.tasks)


@asynccontextmanager
async def takers(count):
    """So many on one socket, and the port."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        found = [Taker(listener.dup(), b"%d" % number) for number in range(count)]
        try:
            yield listener.getsockname()[1], *found
        finally:
            for one in found:
                one.acceptor.close()
                await one.acceptor.wait_closed()
                one.acceptor._listener.close()
                await one.tasks.stop()
                for transport in one.made:
                    transport.abort()


@asynccontextmanager
async def connections(port, count):
    async with AsyncExitStack() as opened:
        made = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", port) for _ in range(count)))
        for _, writer in made:
            opened.callback(writer.transport.abort)
        yield [reader for reader, _ in made]


async def test_a_burst_is_shared_out():
    async with takers(2) as (port, one, other), connections(port, 64) as readers:
        names = await asyncio.gather(*(reader.readexactly(1) for reader in readers))
        assert sorted(names) == sorted([b"0"] * len(one.made) + [b"1"] * len(other.made))
        assert min(len(one.made), len(other.made)) > 10


async def test_who_pauses_leaves_what_comes_to_the_others():
    async with takers(2) as (port, one, other):
        one.acceptor.pause()
        async with connections(port, 16) as readers:
            assert {await reader.readexactly(1) for reader in readers} == {b"1"}
        other.acceptor.pause()
        async with connections(port, 4) as readers:  # they wait
            one.acceptor.resume()
            assert {await reader.readexactly(1) for reader in readers} == {b"0"}


async def test_who_has_closed_takes_nothing_more():
    async with takers(2) as (port, one, _):
        one.acceptor.close()
        async with connections(port, 16) as readers:
            assert {await reader.readexactly(1) for reader in readers} == {b"1"}


async def test_a_client_that_has_left_already_does_no_harm():
    async with takers(1) as (port, _):
        for _ in range(20):
            client = socket.create_connection(("127.0.0.1", port))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            client.close()
        async with connections(port, 1) as (reader,):
            assert await reader.readexactly(1) == b"0"


async def test_without_a_descriptor_left_it_says_so_and_goes_on_when_there_is_one(caplog):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with takers(1) as (port, one):
        with socket.socket() as client:
            client.setblocking(False)
            free = os.dup(0)
            os.close(free)
            resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
            try:
                with pytest.raises(BlockingIOError):
                    client.connect(("127.0.0.1", port))
                await until(lambda: "no connection can be accepted" in caplog.text)
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            assert await asyncio.get_running_loop().sock_recv(client, 1) == b"0"
        assert len(one.made) == 1
        assert len(caplog.records) == 1
