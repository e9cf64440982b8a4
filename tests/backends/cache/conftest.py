"""Every store, under one contract; what is in Redis is this test's alone."""

import pytest

from tests.kit import services
from tests.kit.caches import KINDS, a_store


@pytest.fixture(scope="module")
def server():
    """A Redis of this module's own."""
    with services.redis() as made:
        yield made


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
async def store(kind, tmp_path, server):
    async with a_store(kind, tmp_path, url=server.url) as made:
        if kind == "redis":
            await made._link.ask("FLUSHALL")
            for owner in (1, 2):
                await made.purge(owner)
        yield made
