import asyncio
from itertools import pairwise

from penstock.control.gateways import service
from penstock.control.gateways.schema import DEFAULT_GATEWAY, GatewayCreate
from penstock.core.errors import Conflict

ACCOUNT = "0" * 31 + "a"


def caller(world):
    return next(token for token in world.keyring.tokens.values() if token.name == "all")


def test_of_many_who_create_one_gateway_one_does(world):
    body = GatewayCreate.model_validate(DEFAULT_GATEWAY | {"id": "g"})

    async def race():
        return await asyncio.gather(
            *(service.create(world.control, caller(world), ACCOUNT, body) for _ in range(20)), return_exceptions=True
        )

    results = world.run(race())
    assert sum(isinstance(result, dict) for result in results) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 19
    assert len(world.audited()) == 1


def test_of_many_who_need_the_default_gateway_one_makes_it(world):
    async def race():
        await asyncio.gather(*(service.ensure_default(world.control, ACCOUNT, caller(world)) for _ in range(20)))

    world.run(race())
    assert world.row("default").settings == DEFAULT_GATEWAY
    assert [(row.action, row.subject) for row in world.audited()] == [("gateway.create", "default")]
    assert world.refreshed == 20  # each returns when the gateway can be called
    assert world.call("GET", "/default")[1]["result"]["is_default"] is True


def test_the_default_gateway_is_left_as_it_is(world):
    made = world.made("default", authentication=False)
    world.run(service.ensure_default(world.control, ACCOUNT, caller(world)))
    assert world.call("GET", "/default")[1]["result"] == made
    world.call("DELETE", "/default")
    world.run(service.ensure_default(world.control, ACCOUNT, caller(world)))
    assert world.row("default").settings == DEFAULT_GATEWAY


def test_of_many_changes_at_once_each_is_whole(world):
    world.made()

    async def race():
        await asyncio.gather(
            *(
                world.ask("PUT", "/g", DEFAULT_GATEWAY | {"cache_ttl": n, "rate_limiting_limit": n})
                for n in range(1, 21)
            )
        )

    world.run(race())
    rows = world.audited()[1:]
    assert len(rows) == 20
    assert all(row.after["cache_ttl"] == row.after["rate_limiting_limit"] for row in rows)
    assert all(earlier.after == later.before for earlier, later in pairwise(rows))
    assert world.row().settings == rows[-1].after
