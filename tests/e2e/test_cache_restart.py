"""What is cached in a file is there when the server comes again."""

import stat

from penstock.mock.server import start
from tests.kit.client import connected
from tests.kit.house import ACCOUNT, request
from tests.kit.process import serving

ENVIRON = {"PENSTOCK_ACCOUNT_ID": ACCOUNT, "PENSTOCK_CACHE_STORE": "sqlite"}


async def test_a_hit_outlives_the_process_that_kept_it(tmp_path):
    seen, provider = [], await start()
    config = f'[providers.openai]\nbase_url = "{provider.url}/openai"\n'
    for _ in range(2):
        async with serving(tmp_path / "data", config=config, environ=ENVIRON, simulate=False) as server:
            await server.make_gateway("cached", cache_ttl=600)
            async with connected(server.port) as client:
                seen += [await client.ask(request(gateway="cached")) for _ in range(2)]
            assert (await server.metrics())["penstock_cache_entries"] == 1
            assert (await server.metrics())["penstock_cache_failures_total"] == 0
    assert provider.stats()["requests_begun"] == 1
    await provider.stop()
    assert [answer.headers["cf-aig-cache-status"] for answer in seen] == ["MISS", "HIT", "HIT", "HIT"]
    assert len({answer.body for answer in seen}) == 1
    assert stat.S_IMODE((tmp_path / "data" / "cache.db").stat().st_mode) == 0o600
