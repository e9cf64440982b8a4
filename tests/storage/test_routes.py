from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from penstock.core.codec import decode
from penstock.storage import configuration, gateways, routes
from penstock.storage.engine import Database
from penstock.storage.errors import Taken
from tests.kit.store import ACCOUNT, furnish

FIRST, SECOND = [{"id": "1", "\u0000": 1.0}], [{"id": "2"}]
FAULT = {"message": "is wrong", "path": ["elements", 0]}


@pytest.fixture
async def database(tmp_path: Path, url: str) -> AsyncIterator[Database]:
    place = await furnish(tmp_path, {"alpha": {}, "beta": {}}, (), (), url=url)
    opened = Database(place.url)
    yield opened
    await opened.close()


async def test_a_route_shows_its_newest_version_until_one_is_deployed_and_then_that(database: Database):
    async with database.writing() as connection:
        alpha = await gateways.get(connection, ACCOUNT, "alpha")
        assert alpha is not None
        made = await routes.add(connection, alpha.number, "r", FIRST, FAULT, 5)
        first = made.version
        assert (first.elements, first.fault, first.number) == (FIRST, FAULT, 1)
        assert await routes.get(connection, alpha.number, made.id) == made
        second = await routes.add_version(connection, made, SECOND, None, 6)
        shown = await routes.get(connection, alpha.number, made.id)
        assert shown is not None
        assert (shown.version, shown.deployment) == (second, None)
        assert await routes.of(connection, alpha.number) == []

        deployed = await routes.deploy(connection, shown, first, 7)
        assert await routes.get(connection, alpha.number, made.id) == deployed
        third = await routes.add_version(connection, deployed, SECOND, None, 8)
        assert await routes.page(connection, alpha.number, 9, 0) == ([deployed], 1)
        assert await routes.versions(connection, made.id, 2, 0) == ([third, second], 3)
        again = await routes.deploy(connection, deployed, third, 9)
        assert await routes.deployments(connection, made.id, 9, 0) == ([again.deployment, deployed.deployment], 2)
        assert await routes.version(connection, made.id, second.id) == second
        assert await routes.version(connection, "another", second.id) is None


async def test_the_deployed_routes_of_changed_gateways(database: Database):
    async with database.writing() as connection:
        alpha, beta = [await gateways.get(connection, ACCOUNT, name) for name in ("alpha", "beta")]
        assert alpha is not None
        assert beta is not None
        before = await configuration.version(connection)
        for gateway in (alpha, beta):
            await routes.add(connection, gateway.number, "draft", FIRST, None, 5)
            row = await routes.add(connection, gateway.number, "r", FIRST, None, 5)
            await routes.deploy(connection, row, row.version, 6)
        await gateways.touch(connection, alpha.number, await configuration.raise_version(connection))
        found = await routes.of_changed(connection, before)
        assert found == {alpha.number: await routes.of(connection, alpha.number)}
        assert [(route.name, decode(route.elements)) for route in found[alpha.number]] == [("r", FIRST)]


async def test_a_name_is_one_route_of_its_gateway_and_a_deleted_one_leaves_nothing(database: Database):
    async with database.writing() as connection:
        alpha = await gateways.get(connection, ACCOUNT, "alpha")
        assert alpha is not None
        made = await routes.add(connection, alpha.number, "r", FIRST, None, 5)
        await routes.deploy(connection, made, made.version, 6)
        other = await routes.add(connection, alpha.number, "other", FIRST, None, 5)
        with pytest.raises(Taken):
            await routes.add(connection, alpha.number, "r", FIRST, None, 5)
        with pytest.raises(Taken):
            await routes.rename(connection, other, "r", 7)
        await routes.delete(connection, made)
        assert await routes.version(connection, made.id, made.version.id) is None
        assert await routes.deployments(connection, made.id, 9, 0) == ([], 0)
        assert (await routes.rename(connection, other, "r", 7)).name == "r"
        assert await routes.count(connection, alpha.number) == 1
