"""Settings that change while a thousand calls a second run: at once, whole, and without a call that fails."""

import asyncio
import time
from itertools import pairwise

from tests.kit.client import connected
from tests.kit.house import ACCOUNT, request
from tests.kit.process import eventually, serving

CONNECTIONS = 8
RATE = 1000  # calls a second, over all connections
CHANGES = 12
OLD = {"authentication": False, "collect_logs": True}
NEW = {"authentication": True, "collect_logs": False}  # refused without a token, and no row, or neither
ENVIRON = {"PENSTOCK_ACCOUNT_ID": ACCOUNT, "PENSTOCK_API_TOKEN": "a-token-of-my-own-choice"}
CALL = request(gateway="live")


class Load:
    """Callers that take down what they saw: (begun, ended, status, whether a log row was announced)."""

    def __init__(self, port):
        self.port = port
        self.seen = []
        self.stopping = False

    async def run(self):
        due = time.monotonic()
        while not self.stopping:
            async with connected(self.port) as client:
                kept = True
                while kept and not self.stopping:
                    due = max(due, time.monotonic() - 0.1) + CONNECTIONS / RATE
                    await asyncio.sleep(max(0.0, due - time.monotonic()))
                    begun = time.monotonic()
                    answer = await client.ask(CALL)
                    assert answer.whole
                    self.seen.append((begun, time.monotonic(), answer.status, "cf-aig-log-id" in answer.headers))
                    kept = answer.headers.get("connection") != "close"


async def test_a_change_is_there_when_it_is_answered_and_no_call_sees_half_of_it(tmp_path):
    async with serving(tmp_path / "data", environ=ENVIRON) as server:
        await server.make_gateway("live")
        path = "/accounts/{account}/ai-gateway/gateways/live"
        _, told = await server.ask("GET", path)
        settings = told["result"]
        load = Load(server.port)
        callers = [asyncio.ensure_future(load.run()) for _ in range(CONNECTIONS)]
        changes = []
        for turn in range(CHANGES):
            asked = time.monotonic()
            status, told = await server.ask("PUT", path, settings | (OLD, NEW)[turn % 2])
            assert status == 200, told
            changes.append((asked, time.monotonic(), ((200, True), (401, False))[turn % 2]))
            count = len(load.seen)
            await eventually(lambda count=count: len(load.seen) >= count + 3 * CONNECTIONS)
        load.stopping = True
        await asyncio.gather(*callers)
    assert {(status, logged) for _, _, status, logged in load.seen} == {(200, True), (401, False)}
    clear = 0
    for (_, answered, expected), (following, _, _) in pairwise(changes):
        for begun, ended, *saw in load.seen:
            if answered <= begun and ended <= following:
                assert tuple(saw) == expected
                clear += 1
    assert clear >= CHANGES * CONNECTIONS


async def test_what_the_command_line_changes_beside_the_server_is_noticed(tmp_path):
    async with serving(tmp_path / "data", environ=ENVIRON) as server:
        await server.make_gateway("closed", authentication=True)
        made = await server.command("token", "create", "--name", "for a day", "--scope", "run", "--quiet")
        head = {"cf-aig-authorization": f"Bearer {made.strip()}"}

        async def status():
            async with connected(server.port) as client:
                return (await client.ask(request(gateway="closed", headers=head))).status

        await until_it_is(status, 200)
        listed = await server.command("token", "list", "--json")
        assert "for a day" in listed
        token_id = (await server.ask("GET", "/accounts/{account}/tokens"))[1]["result"][-1]["id"]
        await server.command("token", "revoke", token_id)
        await until_it_is(status, 401)


async def until_it_is(ask, wanted):
    async with asyncio.timeout(10):
        while await ask() != wanted:
            await asyncio.sleep(0.02)
