"""Dynamic routes in two processes: they change while many calls use them, and their limits are exact."""

import asyncio
import json
import time
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
import pytest_asyncio

from tests.kit.client import connected
from tests.kit.house import ACCOUNT, envelope, request
from tests.kit.process import PATIENCE, eventually, serving
from tests.kit.routes import conditional, end, model, rate, start
from tests.kit.several import control, each, several

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROUTES = "/accounts/{account}/ai-gateway/gateways/default/routes"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there(tmp_path_factory):
    async with several(tmp_path_factory.mktemp("routes")) as server:
        yield server


def call(name, **headers):
    body = b'{"model":"dynamic/%b","messages":[{"role":"user","content":"hello"}]}' % name.encode()
    told = {name.replace("_", "-"): value for name, value in headers.items()} | {"cf-aig-explain": "1"}
    return request("compat/chat/completions", headers=told, body=body)


# ---- changes under load


def version(mark):
    """A graph that asks two models, with conditions before each; all of its names begin with ``mark``."""

    def fork(name, target):
        return conditional(f"{mark}-{name}", {"metadata.none": {"$exists": False}}, target, f"{mark}-end")

    def ask(name, target):
        return model(f"{mark}-{name}", target, model=f"{mark}-{name}")

    return [
        start(f"{mark}-fork", f"{mark}-start"),
        fork("fork", f"{mark}-one"),
        ask("one", f"{mark}-again"),
        fork("again", f"{mark}-two"),
        ask("two", f"{mark}-end"),
        end(f"{mark}-end"),
    ]


def version_of(answer):
    """The mark that all names in the answer have, and the id of the version which it says it is of."""
    assert answer.status == 200, answer.head + answer.body
    route = json.loads(answer.headers["cf-aig-explain"])["decisions"]["route"]
    names = [visit["element"] for visit in route["path"]] + [route["element"], answer.headers["cf-aig-model"]]
    assert [name.partition("-")[2] for name in names] == ["start", "fork", "one", "again", "two", "two"]
    (mark,) = {name.partition("-")[0] for name in names}
    return mark, route["version"]


class Callers:
    """They call a route again and again, each on a connection of its own, thus in one process. Once there is no route
    of a name, they call it by the next one; they end after the last one.

    ``seen``: for each of them, which versions answered, and under which names, without repetitions.
    """

    def __init__(self, port, names):
        self.calls = 0
        self.seen = []
        self.versions = set()
        self._port = port
        self._names = names

    @asynccontextmanager
    async def running(self, quick=14, slow=6):
        """Until all have ended."""
        async with asyncio.TaskGroup() as group:
            for number in range(quick + slow):
                more = {} if number < quick else {"x_mock_delay": "50"}
                group.create_task(self._run(more))
            yield

    async def more(self, count=150):
        before = self.calls
        await eventually(lambda: self.calls >= before + count)

    async def _run(self, headers):
        seen = []
        self.seen.append(seen)
        async with connected(self._port) as client:
            for name in self._names:
                answer = await client.ask(call(name, **headers))
                while answer.status != 400:
                    self.calls += 1
                    found = version_of(answer)
                    self.versions.add(found)
                    if seen[-1:] != [(name, found[0])]:
                        seen.append((name, found[0]))
                    answer = await client.ask(call(name, **headers))
                assert f"no route '{name}'" in envelope(answer, 400, 2005)


def follows(seen, history):
    """Whether what was seen is a part of what was there, in its order."""
    left = iter(history)
    return all(one in left for one in seen)


async def test_changes_under_load_fail_no_call_and_mix_no_versions(there):
    ids, history, waits = {}, [], []
    async with each(there) as clients:
        one, other = clients.values()

        async def ask(method, path="", body=None):
            answer = await one.ask(control(there, method, f"{ROUTES}{path}", body))
            assert answer.status == 200, answer.body
            return json.loads(answer.body)["result"]

        async def acts(name, mark):
            """The process that made the change has it when it answers, the other one soon."""
            history.append((name, mark))
            assert version_of(await one.ask(call(name)))[0] == mark
            begun = time.monotonic()
            async with asyncio.timeout(PATIENCE):
                while (answer := await other.ask(call(name))).status == 400 or version_of(answer)[0] != mark:
                    pass
            waits.append(time.monotonic() - begun)

        made = await ask("POST", body={"name": "r", "elements": version("v1")})
        at = f"/{made['id']}"
        ids["v1"] = made["version"]["version_id"]
        await acts("r", "v1")
        callers = Callers(there.port, ("r", "s"))
        async with callers.running():
            for mark in ("v2", "v3", "v1", "v3", "v4"):
                if mark not in ids:
                    ids[mark] = (await ask("POST", f"{at}/versions", {"elements": version(mark)}))["version_id"]
                await callers.more()
                await ask("POST", f"{at}/deployments", {"version_id": ids[mark]})
                await acts("r", mark)
            await callers.more()
            await ask("PATCH", at, {"name": "s"})
            await acts("s", "v4")
            await callers.more()
            await ask("DELETE", at)
    assert len(callers.seen) == 20
    assert all(follows(seen, history) for seen in callers.seen), callers.seen
    assert callers.versions == {(mark, ids[mark]) for mark in ids}
    print("calls", callers.calls, "seconds until the other process knew", sorted(waits))


# ---- limits

YEAR = 31_536_000
LIMITED = [
    start("wide"),
    rate("wide", "narrow", "over", limit=300, window=YEAR),
    rate("narrow", "within", "between", limit=200, window=YEAR, technique="sliding"),
    model("within", model="within"),
    model("between", model="between"),
    model("over", model="over"),
    end(),
]


async def test_of_thousands_of_calls_at_once_exactly_as_many_pass_as_a_limit_lets(there):
    await counts_exactly(there)


async def test_and_in_the_memory_of_one_process(tmp_path):
    async with serving(tmp_path / "data", environ={"PENSTOCK_ACCOUNT_ID": ACCOUNT}) as server:
        await counts_exactly(server)


async def counts_exactly(server):
    status, told = await server.ask("POST", ROUTES, {"name": "limited", "elements": LIMITED})
    assert status == 200, told
    async with AsyncExitStack() as opened:
        clients = [await opened.enter_async_context(connected(server.port)) for _ in range(200)]

        async def calls(client, user):
            """They begin when the process has heard of the route."""
            asked = call("limited", cf_aig_metadata=json.dumps({"user": user}))
            seen = []
            async with asyncio.timeout(PATIENCE):
                while len(seen) < 10:
                    answer = await client.ask(asked)
                    if answer.status != 400 or seen:
                        seen.append((user, answer.status, answer.headers.get("cf-aig-model")))
            return seen

        found = await asyncio.gather(*(calls(client, "ab"[number % 2]) for number, client in enumerate(clients)))
    expected = {"within": 200, "between": 100, "over": 700}
    assert Counter(one for seen in found for one in seen) == {
        (user, 200, name): count for user in "ab" for name, count in expected.items()
    }
