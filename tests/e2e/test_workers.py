"""Several serving processes behind one address: one server, whichever of them answers."""

import asyncio
import os
import signal
import time
from contextlib import AsyncExitStack

import psutil
import pytest
import pytest_asyncio

from tests.kit.client import connected
from tests.kit.house import request
from tests.kit.process import PATIENCE, eventually
from tests.kit.several import ALIVE, control, each, owner, several
from tests.kit.store import OPEN

pytestmark = pytest.mark.asyncio(loop_scope="module")

GATEWAY = "/accounts/{account}/ai-gateway/gateways/default"
METRICS = b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n"
CALLS = 'penstock_calls_total{{account="{}",gateway="default",outcome="answered",provider="openai"}}'


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there(tmp_path_factory):
    async with several(tmp_path_factory.mktemp("workers")) as server:
        yield server


async def test_one_greeting_is_printed_when_all_listen(there):
    assert there.greeting.count("listens on") == 1
    assert "  Workers    2\n" in there.greeting
    assert len(there.members) == 2
    assert len(there.children("penstock.worker.log_writer")) == 2
    assert there.said == ""


async def test_no_secret_is_on_a_command_line(there):
    for process in psutil.Process(there.pid).children(recursive=True):
        line = " ".join(process.cmdline())
        for secret in (there.environ["PENSTOCK_MASTER_KEY"], "postgres", "redis:", there.token):
            assert secret not in line


async def test_the_parent_stays_small(there):
    parent = psutil.Process(there.pid).memory_info().rss
    assert parent < min(member.memory_info().rss for member in there.members) * 0.6


async def shares(there, count):
    """Of so many connections that come at once, how many each process has taken."""
    async with AsyncExitStack() as opened:
        clients = await asyncio.gather(*(opened.enter_async_context(connected(there.port)) for _ in range(count)))
        await asyncio.gather(*(client.ask(ALIVE) for client in clients))
        owners = [owner(there, client) for client in clients]
    return [owners.count(member.pid) for member in there.members]


async def test_connections_that_come_at_once_are_shared_out(there):
    """Not each time: a process that the system lets wait has none."""
    rounds = []
    while not rounds or (min(rounds[-1]) < 8 and len(rounds) < 10):
        rounds.append(await shares(there, 64))
    assert min(rounds[-1]) >= 8, rounds


async def test_whoever_is_asked_tells_the_figures_of_all(there):
    async with each(there) as clients:
        before = (await there.metrics()).get(CALLS.format(there.account), 0)
        for client in clients.values():
            for _ in range(3):
                assert (await client.ask(request())).status == 200
        for client in clients.values():
            text = (await client.ask(METRICS)).body.decode()
            assert f"{CALLS.format(there.account)} {before + 6}" in text
            assert 'penstock_workers{state="running"} 2.0' in text
    memory = (await there.metrics())["process_resident_memory_bytes"]
    assert memory == pytest.approx(sum(member.memory_info().rss for member in there.members), 0.2)


async def test_a_process_that_hangs_is_waited_for_a_moment_and_its_last_figures_count(there):
    async with each(there) as clients:
        (hung, one), (_, other) = clients.items()
        assert (await one.ask(request())).status == 200
        before = (await there.metrics())[CALLS.format(there.account)]
        os.kill(hung, signal.SIGSTOP)
        try:
            for _ in range(3):
                text = (await other.ask(METRICS)).body.decode()
                assert f"{CALLS.format(there.account)} {before}" in text
                assert 'penstock_workers{state="silent"} 1.0' in text
                assert 'penstock_workers{state="running"} 1.0' in text
        finally:
            os.kill(hung, signal.SIGCONT)
        async with asyncio.timeout(PATIENCE):
            while (await there.metrics())['penstock_workers{state="running"}'] < 2:
                await asyncio.sleep(0.01)


async def test_a_change_that_one_answers_acts_in_the_other_soon(there):
    async with each(there) as clients:
        one, other = clients.values()
        waits = []
        for turn in range(6):
            wanted = (401, 200)[turn % 2]
            answer = await one.ask(control(there, "PUT", GATEWAY, dict(OPEN) | {"authentication": wanted == 401}))
            assert answer.status == 200, answer.body
            assert (await one.ask(request())).status == wanted  # the one that answered
            waits.append(await acts(other, request(), wanted))
    print("seconds until the other knew: median", sorted(waits)[3], "most", max(waits))


async def acts(client, call, wanted):
    """Seconds until a call is answered so."""
    begun = time.monotonic()
    async with asyncio.timeout(PATIENCE):
        while (await client.ask(call)).status != wanted:
            await asyncio.sleep(0.001)
    return time.monotonic() - begun


async def test_a_token_made_changed_or_revoked_anywhere_is_known_to_all(there):
    await there.make_gateway("closed", authentication=True)
    async with each(there) as clients:
        for make in (by_the_api, by_the_command_line):
            secret, revoke = await make(there, clients)
            call = request(gateway="closed", headers={"cf-aig-authorization": f"Bearer {secret}"})
            for client in clients.values():
                await acts(client, call, 200)
            token_id = (await there.ask("GET", "/accounts/{account}/tokens"))[1]["result"][-1]["id"]
            for models, wanted in (["anthropic/*"], 403), (None, 200):
                await there.ask("PATCH", f"/accounts/{{account}}/tokens/{token_id}", {"models": models})
                for client in clients.values():
                    await acts(client, call, wanted)
            await revoke()
            for client in clients.values():
                await acts(client, call, 401)


async def by_the_api(there, clients):
    tokens = "/accounts/{account}/tokens"
    _, told = await there.ask("POST", tokens, {"name": "of the API", "scopes": ["AI Gateway Run"]})
    made = told["result"]
    return made["value"], lambda: there.ask("DELETE", f"{tokens}/{made['id']}")


async def by_the_command_line(there, clients):
    made = await there.command("token", "create", "--name", "of the command line", "--scope", "run", "--quiet")
    token_id = (await there.ask("GET", "/accounts/{account}/tokens"))[1]["result"][-1]["id"]
    return made.strip(), lambda: there.command("token", "revoke", token_id)


async def test_a_log_is_there_at_once_whichever_process_took_the_call(there):
    async with each(there) as clients:
        pairs = [(one, other) for one in clients.values() for other in clients.values()]
        for one, other in pairs * 5:
            log_id = (await one.ask(request())).headers["cf-aig-log-id"]
            answer = await other.ask(control(there, "GET", f"{GATEWAY}/logs/{log_id}"))
            assert answer.status == 200, answer.body


async def test_a_burst_of_calls_on_new_connections_is_answered_whole(there):
    async def call():
        async with connected(there.port) as client:
            return (await client.ask(request())).status

    assert await asyncio.gather(*(call() for _ in range(300))) == [200] * 300


async def test_sighup_is_answered_once(there):
    """The last test: it leaves a line on standard error."""
    there.send(signal.SIGHUP)
    await eventually(lambda: "SIGHUP" in there.said)
    for member in there.members:
        member.send_signal(signal.SIGHUP)
    assert (await there.get("/readyz"))[0] == 200
    assert there.said.count("SIGHUP") == 1
    assert await there.stop() == 0
