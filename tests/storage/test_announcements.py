"""PostgreSQL's word that the configuration changed, from a real one that loses connections and is started again."""

import asyncio
import os
from contextlib import asynccontextmanager, closing

import pytest

from penstock.core.tasks import Tasks
from penstock.storage import configuration, opening
from penstock.storage.announcements import Announcements
from penstock.storage.engine import Database
from tests.kit.databases import SERVER, postgres_on
from tests.kit.process import eventually
from tests.kit.services import postgres

END = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()"
)


@pytest.fixture(scope="module")
def url():
    with postgres_on(os.environ[SERVER]) as made:
        yield made


class Heard:
    """How often it was said, beside the once when listening began."""

    def __init__(self):
        self.count = 0

    def __call__(self):
        self.count += 1

    async def once_more(self, before):
        await eventually(lambda: self.count > before)


@asynccontextmanager
async def listening(url):
    tasks, heard = Tasks(), Heard()
    tasks.start("listen", Announcements(url).listen(heard))
    try:
        await heard.once_more(0)
        yield heard
    finally:
        await tasks.stop()


@asynccontextmanager
async def opened(url):
    database = Database(url)
    try:
        yield database
    finally:
        await database.close()


async def test_a_change_is_heard_of_when_it_is_committed_and_not_if_it_never_is(url):
    async with opened(url) as database, listening(url) as heard:
        before = heard.count
        with pytest.raises(ZeroDivisionError):
            async with database.writing() as connection:
                await configuration.raise_version(connection)
                raise ZeroDivisionError
        async with database.writing() as connection:
            await configuration.raise_version(connection)
            await asyncio.sleep(0.05)
            assert heard.count == before
        await heard.once_more(before)
        assert heard.count == before + 1


async def test_a_connection_that_is_lost_is_made_again(url):
    async with opened(url) as database, listening(url) as heard:
        before = heard.count
        with closing(opening.connect(url)) as connection:
            connection.execute(END)
        await heard.once_more(before)  # of itself, for what was changed meanwhile
        before = heard.count
        async with database.writing() as connection:
            await configuration.raise_version(connection)
        await heard.once_more(before)


async def test_a_server_that_is_away_is_listened_to_when_it_is_back():
    with postgres() as server:
        async with listening(server.url) as heard:
            before = heard.count
            server.stop()
            await asyncio.sleep(0.3)  # several tries
            assert heard.count == before
            server.start()
            await heard.once_more(before)
