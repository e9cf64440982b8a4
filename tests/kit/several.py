"""A real server of several processes, a connection to each of them, and a load that notes what became of its calls."""

import asyncio
import os
import random
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path

import psutil

from penstock.core import codec
from penstock.mock.server import start
from penstock.storage import opening
from tests.kit.client import Client, connected
from tests.kit.databases import SERVER, postgres_on
from tests.kit.house import ACCOUNT, request
from tests.kit.process import PATIENCE, Serving, eventually, serving, shared

CACHE = "PENSTOCK_TEST_REDIS_URL"  # names a Redis server
ALIVE = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"
RUNNING = 'penstock_workers{state="running"}'
_REFUSED = 503


@asynccontextmanager
async def several(
    folder: Path, *flags: str, database: str = "", redis: str = "", workers: int = 2, **environ: str
) -> AsyncGenerator[Serving]:
    """A server of so many processes whose provider outlives it; on a database of its own, unless one is named."""
    async with AsyncExitStack() as opened:
        url = database or opened.enter_context(postgres_on(os.environ[SERVER]))
        given = shared(url, redis or os.environ[CACHE]) | {"PENSTOCK_ACCOUNT_ID": ACCOUNT} | environ
        provider = await start()
        opened.push_async_callback(provider.stop)
        config = f'[providers.openai]\nbase_url = "{provider.url}/openai"\n'
        flags = ("--workers", str(workers), *flags)
        gateways = ("default",) if "PENSTOCK_ROLE" not in environ else ()
        server = await opened.enter_async_context(
            serving(folder / "data", *flags, config=config, environ=given, simulate=False, gateways=gateways)
        )
        if gateways:
            await published(server, url)
        yield server


async def published(server: Serving, url: str) -> None:
    """Returns when all serve what is configured."""
    with closing(opening.connect(url)) as connection:
        ((version,),) = connection.execute("SELECT version FROM configuration")
    async with asyncio.timeout(PATIENCE):
        while (await server.metrics())["penstock_configuration_version"] < version:
            await asyncio.sleep(0.01)


@asynccontextmanager
async def each(server: Serving) -> AsyncGenerator[dict[int, Client]]:
    """A connection to every serving process, by its id."""
    async with AsyncExitStack() as opened:
        found: dict[int, Client] = {}
        async with asyncio.timeout(PATIENCE):
            while len(found) < len(server.members):
                client = await opened.enter_async_context(connected(server.port))
                await client.ask(ALIVE)
                found.setdefault(owner(server, client), client)
        yield found


def owner(server: Serving, client: Client) -> int:
    """The process that has the other end of a connection. Raises LookupError."""
    port: int = client.writer.get_extra_info("sockname")[1]
    for member in server.members:
        if any(one.raddr and one.raddr.port == port for one in member.net_connections("tcp")):
            return member.pid
    raise LookupError("No serving process has the connection.")


def control(server: Serving, method: str, path: str, body: object = None) -> bytes:
    """The bytes of a request of the control plane; ``path`` as in ``Serving.ask``."""
    data = b"" if body is None else codec.encode(body)
    head = f"{method} /client/v4{path.format(account=server.account)} HTTP/1.1\r\nhost: x\r\n"
    head += f"authorization: Bearer {server.token}\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(data)}\r\n\r\n".encode() + data


async def gone(processes: Iterable[psutil.Process]) -> None:
    """Returns when none of them runs any more."""
    waited = list(processes)
    await eventually(lambda: not any(map(_runs, waited)))


async def kill_all(server: Serving) -> None:
    """``kill -9`` of the server and of all that it started, in any order."""
    processes = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
    random.shuffle(processes)
    for process in processes:
        process.kill()
    await server.ended()
    await gone(processes[1:])


async def all_run(server: Serving, workers: int = 2) -> None:
    """Returns when so many processes serve, also after some were killed."""
    async with asyncio.timeout(PATIENCE):
        while (await server.metrics())[RUNNING] < workers:
            await asyncio.sleep(0.02)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # it ended between the two
        return False


class Load:
    """Callers that call again and again. ``answered`` has event ids; ``broken`` counts connections that ended amid a
    call, ``refused`` answers 503.
    """

    def __init__(self, port: int, callers: int = 16) -> None:
        self.answered: list[str] = []
        self.broken = 0
        self.refused = 0
        self._port = port
        self.callers = callers
        self._stopping = False
        self._numbers: Iterator[int] = iter(range(10**9))

    @asynccontextmanager
    async def running(self) -> AsyncGenerator["Load"]:
        """Calls until the block ends."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self.callers):
                group.create_task(self._run())
            try:
                yield self
            finally:
                self._stopping = True

    async def more(self, count: int = 100) -> None:
        """Returns when so many further calls were answered."""
        before = len(self.answered)
        await eventually(lambda: len(self.answered) >= before + count)

    async def _run(self) -> None:
        while not self._stopping:
            try:
                async with connected(self._port) as client:
                    while not self._stopping and await self._call(client):
                        pass
            except (asyncio.IncompleteReadError, ConnectionError):
                self.broken += 1
                await asyncio.sleep(0.01)

    async def _call(self, client: Client) -> bool:
        """False: the connection takes no further call."""
        event = f"call-{next(self._numbers)}"
        answer = await client.ask(request(event=event))
        if answer.status == _REFUSED:
            self.refused += 1
        elif answer.status == 200 and answer.whole:
            self.answered.append(event)
        else:
            raise AssertionError(answer.head + answer.body)
        return answer.headers.get("connection") != "close"
