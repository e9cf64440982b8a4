"""A server in the test's own loop, a client of it, and a bare socket to it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from penstock import mock
from tests.kit import loops

Talk = Callable[..., Awaitable[bytes]]


@pytest.fixture
async def server() -> AsyncIterator[mock.MockServer]:
    server = await mock.start()
    yield server
    await server.stop()


@pytest.fixture
async def client(server: mock.MockServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as client:
        yield client


@pytest.fixture
def talk(server: mock.MockServer) -> Talk:
    """Sends bytes over a connection of its own; gives all that comes back until the server closes it."""

    async def talk(*sent: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        try:
            for part in sent:
                writer.write(part)
                await writer.drain()
            return await asyncio.wait_for(reader.read(), 10)
        finally:
            writer.close()

    return talk


def pytest_asyncio_loop_factories(config, item):
    return loops.SERVING
