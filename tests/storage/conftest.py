"""Everything that is promised of storage is promised of both engines."""

from contextlib import closing

import pytest

from penstock.storage import opening
from penstock.storage.errors import StoreUnavailable
from tests.kit.databases import KINDS, await_server, database_of, postgres_on
from tests.kit.logsink import a_gateway
from tests.kit.services import postgres


@pytest.fixture(params=KINDS)
def url(request, tmp_path):
    """An empty database of the newest schema."""
    with database_of(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def connection(url):
    """A connection to a database with one gateway, whose number is 1."""
    connection = opening.connect(url)
    assert a_gateway(connection) == 1
    yield connection
    connection.close()


@pytest.fixture(scope="module", params=KINDS)
def lasting(request, tmp_path_factory):
    """The same for many examples of one law."""
    with database_of(request.param, tmp_path_factory.mktemp("lasting")) as made:
        connection = opening.connect(made)
        assert a_gateway(connection) == 1
        yield connection
        connection.close()


@pytest.fixture
def shared(tmp_path):
    """A database that several processes may write to."""
    with database_of("postgresql", tmp_path) as made:
        yield made


@pytest.fixture(scope="session")
def server():
    """A PostgreSQL of these tests' own, which they may stop, and start again with what it had."""
    with postgres() as running:
        yield running


@pytest.fixture
def away(server):
    """The URL of a database on it, and the server."""
    with postgres_on(server.url) as made:
        yield made, server
        with closing(opening.connect(server.url)) as connection:
            try:
                connection.execute("SELECT 1")
            except StoreUnavailable:
                server.start()
                await_server(server.url)
