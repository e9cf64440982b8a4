"""Money is exact, whatever becomes of calls and processes: budgets hold, and log, counters and ledger agree."""

import asyncio
import os
import random
from collections import Counter
from contextlib import closing

import pytest

from penstock.core import codec, instants
from penstock.model.money import NANO
from penstock.storage import ledger, opening
from penstock.storage.ledger import HOUR
from penstock.storage.ledger_audit import proofs
from tests.kit.client import connected
from tests.kit.databases import SERVER, postgres_on
from tests.kit.house import request
from tests.kit.process import PATIENCE, eventually, serving
from tests.kit.server import ACCOUNT
from tests.kit.services import redis
from tests.kit.several import kill_all, published, several
from tests.kit.store import OPEN

CALLERS = 32
USERS = 5
WHOLE, EACH = 35_000, 10_500  # nano-dollars of the gateway and of each user, for each call made; a call costs more


def limits(calls):
    def rule(name, amount, **more):
        return {"id": name, "limit": amount * calls / NANO, "limitType": "cost", "window": 10**8} | more

    each = rule("each", EACH, technique="sliding", metadata={"user": {"mode": "partition"}})
    return {"rules": [rule("all", WHOLE), each]}


FAULTS = (
    {},
    {},
    {"x-mock-status": "500"},
    {"x-mock-cut-frames": "2"},
    {"x-mock-usage": "none"},
    {"x-mock-delay": "30"},
    {"x-mock-reset": "1"},
)
GIVEN = {"PENSTOCK_ACCOUNT_ID": ACCOUNT, "PENSTOCK_OPENAI_API_KEY": "sk-operator"}
GATEWAY = "/accounts/{account}/ai-gateway/gateways/default"


class Spenders:
    """Callers that spend until nothing is left; some calls fail, some callers leave amid an answer.

    ``seen``: statuses of calls; 0: the caller left, or the connection was lost.
    """

    def __init__(self):
        self.seen = Counter()

    async def run(self, server, more):
        """Until there are no ``more``, or the server is gone."""
        async with asyncio.TaskGroup() as group:
            for number in range(CALLERS):
                group.create_task(self._calls(server, more, random.Random(number)))

    async def _calls(self, server, more, dice):
        goes_on = True
        while goes_on and server.running:
            try:
                async with connected(server.port) as client:
                    while (goes_on := next(more, None) is not None) and await self._call(client, server.token, dice):
                        pass
            except (asyncio.IncompleteReadError, ConnectionError):
                self.seen[0] += 1
                await asyncio.sleep(0.01)

    async def _call(self, client, token, dice):
        """Whether the connection takes another call."""
        stream = dice.random() < 0.5
        body = {"model": "gpt-4o", "max_tokens": 20, "stream": stream, "messages": [{"role": "user", "content": "hi"}]}
        headers = {
            "cf-aig-authorization": f"Bearer {token}",
            "cf-aig-metadata": codec.encode({"user": f"user-{dice.randrange(USERS)}"}).decode(),
            **dice.choice(FAULTS),
        }
        await client.send(request(headers=headers, body=codec.encode(body)))
        if dice.random() < 0.1:
            await asyncio.sleep(dice.random() / 50)
            self.seen[0] += 1
            return False
        answer = await client.answer()
        self.seen[answer.status] += 1
        return answer.whole and answer.headers.get("connection") != "close"


async def limit(server, calls):
    settings = dict(OPEN) | {"spend_limits": limits(calls)}
    assert (await server.ask("PUT", "/accounts/{account}/ai-gateway/gateways/default", settings))[0] == 200


def figures(url):
    """What the rows cost, and what the counters have spent, by owner of a budget; nano-dollars."""
    rows, spent = Counter(), Counter()
    with closing(opening.connect(url)) as connection:
        for cost, metadata in connection.execute("SELECT cost, metadata FROM logs"):
            rows["rule:1:all"] += cost or 0
            rows[f"rule:1:each:{codec.decode(metadata)['user']}"] += cost or 0
        spent.update(dict(connection.execute("SELECT owner, sum(amount) FROM spent GROUP BY owner")))
        ((drafts,),) = connection.execute("SELECT count(*) FROM log_drafts WHERE record IS NOT NULL")
    return rows, spent, drafts


async def counted(server):
    """What is spent or reserved of each budget as the processes say, in nano-dollars by the budget's owner."""
    status, told = await server.ask("GET", "/accounts/{account}/ai-gateway/gateways/default/spend")
    assert status == 200
    return {
        ":".join(["rule:1", one["rule"], *one["partition"].values()]): round((one["spent"] + one["reserved"]) * NANO)
        for one in told["result"]
    }


def check(url, calls):
    """Nothing is counted twice or lost, and no budget is overshot: no call costs more than was reserved for it."""
    rows, spent, drafts = figures(url)
    assert drafts == 0, "calls that have ended are still held to run"
    assert rows == spent
    with closing(opening.connect(url)) as connection:
        assert [proof for proof in proofs(connection, HOUR, instants.now()) if proof.faults] == []
        charged = ledger.balances(connection, ACCOUNT)["usage"]
    assert charged == rows["rule:1:all"]
    assert 0.9 * WHOLE * calls < spent["rule:1:all"] <= WHOLE * calls
    for user in range(USERS):
        assert 0 < spent[f"rule:1:each:user-{user}"] <= EACH * calls
    return spent


@pytest.mark.parametrize(("calls", "kills"), [(1200, 2), pytest.param(10_000, 6, marks=pytest.mark.deep)])
async def test_budgets_hold_and_the_books_agree_whatever_is_killed(tmp_path, calls, kills):
    more, data, spenders = iter(range(calls)), tmp_path / "data", Spenders()
    for kill in range(kills):
        async with (
            serving(data, environ=GIVEN) as server,
            asyncio.TaskGroup() as group,
        ):
            await limit(server, calls)
            group.create_task(spenders.run(server, more))
            enough = calls * (kill + 1) // (kills + 2)
            await eventually(lambda enough=enough: spenders.seen.total() > enough)
            await kill_all(server)
    async with serving(data, environ=GIVEN) as server:
        await spenders.run(server, more)
        print(dict(spenders.seen))
        assert await server.stop() == 0
    check(opening.url_in(data), calls)


@pytest.mark.parametrize("calls", [1000, pytest.param(10_000, marks=pytest.mark.deep)])
async def test_two_processes_share_budgets_while_one_is_killed_and_redis_begins_anew(tmp_path, calls):
    more, spenders = iter(range(calls)), Spenders()
    with redis() as cache, postgres_on(os.environ[SERVER]) as url:
        async with several(
            tmp_path,
            database=url,
            redis=cache.url,
            PENSTOCK_OPENAI_API_KEY="sk-operator",
            PENSTOCK_LIMITS_WITHOUT_REDIS="refuse",
        ) as server:
            await limit(server, calls)
            await published(server, url)
            async with asyncio.TaskGroup() as group:
                group.create_task(spenders.run(server, more))
                await eventually(lambda: spenders.seen[200] > calls // 10)
                server.members[0].kill()
                await eventually(lambda: spenders.seen[200] > calls // 5)
                await asyncio.to_thread(cache.stop)
                await eventually(lambda: spenders.seen[503])
                await asyncio.to_thread(cache.start)
            print(dict(spenders.seen))
            async with asyncio.timeout(PATIENCE):
                while await counted(server) != figures(url)[0]:  # the last rows are being written
                    await asyncio.sleep(0.1)
            assert await server.stop() == 0
        check(url, calls)
