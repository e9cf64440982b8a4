import asyncio
from itertools import pairwise

import pytest

from penstock.control.context import Context
from penstock.control.gateways import service
from penstock.control.gateways.schema import DEFAULT_GATEWAY, GatewayCreate, GatewayUpdate
from penstock.control.gateways.service import LIMITED, MOST_LISTED, still_limited
from penstock.core.errors import Conflict, NotAuthenticated
from penstock.storage import tokens

ACCOUNT = "0" * 31 + "a"


NEEDED = {name: value for name, value in DEFAULT_GATEWAY.items() if name != "authentication"}


def caller(world):
    return next(token for token in world.keyring.tokens.values() if token.name == "all")


def context(world):
    return Context(world.control, ACCOUNT, caller(world))


def test_of_many_who_create_one_gateway_one_does(world):
    body = GatewayCreate.model_validate(DEFAULT_GATEWAY | {"id": "g"})

    async def race():
        return await asyncio.gather(*(service.create(context(world), body) for _ in range(20)), return_exceptions=True)

    results = world.run(race())
    assert sum(isinstance(result, dict) for result in results) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 19
    assert len(world.audited()) == 1


def test_of_many_who_need_the_default_gateway_one_makes_it(world):
    async def race():
        await asyncio.gather(*(service.ensure_default(context(world)) for _ in range(20)))

    world.run(race())
    assert world.row("default").settings == DEFAULT_GATEWAY
    assert [(row.action, row.subject) for row in world.audited()] == [("gateway.create", "default")]
    assert world.refreshed == 20  # each returns when the gateway can be called
    assert world.call("GET", "/default")[1]["result"]["is_default"] is True


def test_the_default_gateway_is_left_as_it_is(world):
    made = world.made("default", authentication=False)
    world.run(service.ensure_default(context(world)))
    assert world.call("GET", "/default")[1]["result"] == made
    world.call("DELETE", "/default")
    world.run(service.ensure_default(context(world)))
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


def test_a_token_that_was_revoked_while_its_change_waited_changes_nothing(world):
    made = world.made()
    body = GatewayUpdate.model_validate(NEEDED | {"cache_ttl": 99})

    async def revoke_and_write():
        async with world.database.writing() as connection:
            late = asyncio.ensure_future(service.update(context(world), "g", body))
            await asyncio.sleep(0)
            assert await tokens.revoke(connection, ACCOUNT, caller(world).id, 1, 1)
        with pytest.raises(NotAuthenticated):
            await late

    world.run(revoke_and_write())
    assert world.call("GET", "/g")[1]["result"] == made


def test_tokens_that_still_bear_the_name_are_counted_and_listed():
    assert still_limited("g", [], listed=True) == []
    (told,) = still_limited("g", ["t1", "t2"], listed=True)
    assert told == {
        "code": LIMITED,
        "message": "2 tokens are limited to g (t1, t2) and will open a gateway that is made with that id again: "
        "revoke them unless you want that.",
    }
    (one,) = still_limited("g", ["t1"], listed=False)
    assert one["message"].startswith("1 token is limited to g and will open")
    assert one["message"].endswith("revoke it unless you want that.")
    (many,) = still_limited("g", ["t"] * 5000, listed=True)
    assert many["message"].count("t, ") == MOST_LISTED
    assert ", …)" in many["message"]
