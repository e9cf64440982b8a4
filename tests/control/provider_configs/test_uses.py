"""When a key was last used and last refused."""

import asyncio
from typing import Any

from penstock.control.provider_configs.uses import write, write_again_and_again
from penstock.core.key_uses import KeyUses
from penstock.storage.errors import StoreUnavailable
from tests.kit.client import until
from tests.kit.house import request
from tests.kit.store import SECRET


async def shown(api, key):
    """The three fields, as the API answers them."""
    told = (await api.ask("GET", key["id"])).json()["result"]
    return told["last_used_at"], told["last_refused_at"], told["last_refused_status"]


async def test_the_api_tells_when_a_key_was_used_and_refused_last(api):
    key = await api.make()
    unused = await api.make(alias="unused", default_config=False)
    app = api.house.server.app

    async def call(status):
        headers = {"cf-aig-authorization": f"Bearer {SECRET}", "x-mock-status": status}
        async with api.house.client() as client:
            assert (await client.ask(request(gateway="a", headers=headers))).status == int(status)
        await write(app.control.database, app.key_uses)
        return await shown(api, key)

    first = await call("200")
    assert first[0] >= key["created_at"]
    assert first[1:] == (None, None)
    refused = await call("401")
    assert refused == (refused[0], refused[0], 401)
    later = await call("429")
    assert later[0] >= refused[0]
    assert later[1:] == refused[1:]
    assert await shown(api, unused) == (None, None, None)
    assert (await api.ask("GET", key["id"])).json()["result"]["modified_at"] == key["modified_at"]
    await api.ask("PUT", key["id"], {"secret": "sk-another"})
    assert (await shown(api, key))[1:] == (None, None)  # another secret was not refused


async def test_what_is_older_or_of_another_secret_changes_nothing(api):
    key = await api.make()
    database = api.house.server.app.control.database
    for at, generation in ((2000, 1), (1000, 1), (3000, 2)):
        uses = KeyUses(lambda at=at: at)
        uses.saw(key["id"], generation, 403)
        await write(database, uses)
    assert await shown(api, key) == ("1970-01-01T00:00:02.000Z", "1970-01-01T00:00:02.000Z", 403)


async def test_it_goes_on_after_the_store_was_away():
    class Away:
        asked = 0

        def writing(self):
            self.asked += 1
            raise StoreUnavailable("away")

    uses, database = KeyUses(), Away()
    away: Any = database
    uses.saw("a", 1, 200)
    task = asyncio.ensure_future(write_again_and_again(away, uses, 0))
    await until(lambda: database.asked == 1)
    uses.saw("a", 1, 200)
    await until(lambda: database.asked == 2)
    task.cancel()
