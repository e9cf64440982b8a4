"""Spend limits in two processes that share PostgreSQL and Redis: while Redis dies, and one of the processes."""

import asyncio
import os
import signal
from contextlib import closing, suppress

from penstock.storage import opening
from tests.kit import services
from tests.kit.client import connected
from tests.kit.databases import SERVER, postgres_on
from tests.kit.house import request
from tests.kit.process import eventually
from tests.kit.several import several

RULE = {"limitType": "cost", "window": 10**6}


async def counted(server):
    """Nano-dollars that some process says are spent, or reserved by calls of which nobody will tell any more."""
    status, told = await server.ask("GET", "/accounts/{account}/ai-gateway/gateways/money/spend")
    assert status == 200
    return [round(one["spent"] * 10**9) + round(one["reserved"] * 10**9) for one in told["result"]]


def logged(url):
    """Nano-dollars of all rows."""
    with closing(opening.connect(url)) as connection:
        return int(connection.execute("SELECT coalesce(sum(cost), 0) FROM logs")[0][0])


async def test_what_is_spent_is_what_the_log_says_whatever_died(tmp_path):
    with services.redis() as redis, postgres_on(os.environ[SERVER]) as url:
        async with several(tmp_path, database=url, redis=redis.url) as server:
            rules = [
                {"id": "fixed", "limit": 1000, **RULE},
                {"id": "other", "limit": 900, "technique": "sliding", **RULE},
            ]
            await server.make_gateway("money", spend_limits={"rules": rules})
            answered, stopping = [], asyncio.Event()

            async def caller():
                while not stopping.is_set():
                    with suppress(OSError, EOFError, asyncio.IncompleteReadError):  # a process died
                        async with connected(server.port) as client:
                            while not stopping.is_set():
                                answered.append((await client.ask(request(gateway="money"))).status)

            async def some_more(number=100):
                until = answered.count(200) + number
                await eventually(lambda: answered.count(200) > until)

            callers = [asyncio.ensure_future(caller()) for _ in range(8)]
            await some_more()
            os.kill(server.members[0].pid, signal.SIGKILL)
            await some_more()
            redis.kill()  # what it has lost is made anew of what the log says, and of what the living know
            await some_more()
            redis.start()
            await some_more()
            stopping.set()
            await asyncio.gather(*callers)

            async def agreed():
                return await counted(server) == [logged(url)] * 2

            async with asyncio.timeout(20):
                while not await agreed():
                    await asyncio.sleep(0.1)
            assert logged(url) > 0
    assert set(answered) <= {200, 404}
