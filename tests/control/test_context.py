"""What the writes of all resources share: one transaction, then the news of it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from penstock.control.context import Context, Control, changing, found, refuse_another, refuse_limited
from penstock.core.errors import Invalid, NoCustomProvider, NotAuthenticated, NotFound, NotPermitted
from penstock.model.token import Token
from penstock.storage import audit, configuration, tokens
from penstock.storage.engine import Database
from tests.kit.store import ACCOUNT, a_token, furnish

NOTHING: Any = None  # what no change works with


class World(NamedTuple):
    """``told``: the version that there was at each refresh."""

    database: Database
    control: Control
    told: list[int]

    def context(self, actor: Token | str) -> Context:
        return Context(self.control, ACCOUNT, actor)

    async def version(self) -> int:
        async with self.database.reading() as connection:
            return await configuration.version(connection)

    async def trail(self) -> list[tuple[str, str, str]]:
        async with self.database.reading() as connection:
            rows, _ = await audit.page(connection, ACCOUNT, 10, 0)
            return [(row.actor_name, row.action, row.subject) for row in rows]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    place = await furnish(tmp_path, {}, [a_token()])
    database, told = Database(place.url), list[int]()

    async def refresh() -> None:
        told.append(await made.version())

    control = Control(database, NOTHING, NOTHING, refresh, NOTHING, NOTHING)
    made = World(database, control, told)
    yield made
    await database.close()


@pytest.mark.parametrize("actor", [a_token(name="Ann"), "mia"])
async def test_a_change_is_published_when_it_is_committed(world: World, actor: Token | str):
    before = await world.version()
    async with changing(world.context(actor)) as change:
        versions = [await change.record("thing.create", "t", None, {}), await change.raise_version()]
        assert world.told == []
    assert versions == [before + 1, before + 1]
    assert world.told == [before + 1]
    assert await world.trail() == [("Ann" if isinstance(actor, Token) else "mia", "thing.create", "t")]


async def test_what_changes_nothing_is_not_published(world: World):
    before = await world.version()
    async with changing(world.context("mia")):
        pass
    assert (await world.version(), world.told) == (before, [])


async def test_of_a_change_that_fails_nothing_stays(world: World):
    before = await world.version()
    with pytest.raises(NotFound):
        async with changing(world.context("mia")) as change:
            await change.record("thing.create", "t", None, {})
            found(None)
    assert (await world.version(), world.told, await world.trail()) == (before, [], [])


async def test_a_token_that_was_revoked_meanwhile_changes_nothing(world: World):
    async with world.database.writing() as connection:
        await tokens.revoke(connection, ACCOUNT, a_token().id, 1, 1)
    with pytest.raises(NotAuthenticated):
        async with changing(world.context(a_token())):
            pytest.fail("it was let in")


def test_what_is_not_there_is_refused_as_its_resource_says():
    assert found(0) == 0
    with pytest.raises(NoCustomProvider):
        found(None, NoCustomProvider)


def test_what_concerns_the_whole_account_is_not_for_a_token_limited_to_gateways():
    for actor in (a_token(), "mia"):
        refuse_limited(Context(NOTHING, ACCOUNT, actor), "count sheep")
    with pytest.raises(NotPermitted, match=r"limited to gateways cannot count sheep\."):
        refuse_limited(Context(NOTHING, ACCOUNT, a_token(gateways=frozenset({"a"}))), "count sheep")


def test_what_cannot_be_changed_may_be_sent_as_it_is():
    refuse_another({"id": "a", "account": None}, {"id": "a", "account": "b"})
    with pytest.raises(Invalid, match="id: cannot be changed") as refused:
        refuse_another({"id": "c"}, {"id": "a"})
    assert refused.value.path == ("body", "id")
