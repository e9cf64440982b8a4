import pytest

from tests.kit.databases import KINDS, database_of
from tests.kit.logsink import with_gateway


@pytest.fixture(params=KINDS)
def url(request, tmp_path):
    """A database with one gateway, whose number is 1."""
    with database_of(request.param, tmp_path) as made:
        yield with_gateway(made)


@pytest.fixture
def shared(tmp_path):
    """The same that several processes may write to."""
    with database_of("postgresql", tmp_path) as made:
        yield with_gateway(made)
