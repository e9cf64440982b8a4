"""A real ``penstock serve``: a process, or several, with their log writers, data directory and standard output."""

import asyncio
import re
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import psutil

from penstock.control.first_start import CREDENTIALS
from penstock.core import codec
from tests.kit.client import connected
from tests.kit.command import command, environment
from tests.kit.databases import sqlite_in
from tests.kit.store import MASTER_KEY, OPEN

PATIENCE = 60.0  # seconds after which a start or a stop has failed
_T = TypeVar("_T")


class Refused(Exception):
    """The server did not start. ``status``: its exit status; the message: what it said."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status
        self.said = said


class Serving:
    """A server that listens. ``greeting`` is what it printed, ``said`` what is on its standard error."""

    def __init__(
        self, process: asyncio.subprocess.Process, greeting: str, data_dir: Path, environ: Mapping[str, str]
    ) -> None:
        self.process = process
        self.token = _secret(data_dir, environ)  # may do everything
        self.pid = process.pid
        self.greeting = greeting
        self.data_dir = data_dir
        self.environ = environ
        self.port = int(_found(r"listens on https?://.*:(\d+)$", greeting))
        self.account = _found(r"Account +([0-9a-f]{32})$", greeting)

    @property
    def origin(self) -> str:
        """The address without a path."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def said(self) -> str:
        """Standard error so far, this server's and that of all before it on the same data directory."""
        return _errors(self.data_dir).read_text("utf-8")

    @property
    def running(self) -> bool:
        return self.process.returncode is None

    def url(self, provider: str = "openai", gateway: str = "default") -> str:
        """The base URL for a provider's SDK."""
        return f"{self.origin}/v1/{self.account}/{gateway}/{provider}"

    def children(self, module: str) -> list[psutil.Process]:
        """The processes of this server that run ``module``, those of its serving processes too."""
        return [child for child in psutil.Process(self.pid).children(recursive=True) if module in _command_line(child)]

    @property
    def members(self) -> list[psutil.Process]:
        """The serving processes, where they are several."""
        return self.children("penstock.cli.member")

    @property
    def writer(self) -> psutil.Process:
        """The log writer. Raises ValueError while there is none."""
        (writer,) = self.children("penstock.worker.log_writer")
        return writer

    async def get(self, path: str) -> tuple[int, bytes]:
        """Status and body of ``path``, on a connection of its own."""
        async with connected(self.port) as client:
            answer = await client.ask(f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
        return answer.status, answer.body

    async def ask(self, method: str, path: str, body: object = None, *, token: str | None = None) -> tuple[int, Any]:
        """Status and decoded answer of the control plane below ``/client/v4``; ``{account}`` stands for the account."""
        data = b"" if body is None else codec.encode(body)
        head = f"{method} /client/v4{path.format(account=self.account)} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
        head += f"authorization: Bearer {token or self.token}\r\n"
        head += f"content-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n"
        async with connected(self.port) as client:
            answer = await client.ask(head.encode() + data)
        return answer.status, codec.decode(answer.body)

    async def make_gateway(self, gateway: str, **settings: Any) -> None:
        """A gateway open to anybody, with these changes; one that is there already stays as it is."""
        status, told = await self.ask(
            "POST", "/accounts/{account}/ai-gateway/gateways", dict(OPEN) | {"id": gateway} | settings
        )
        assert status in {200, 409}, told

    async def metrics(self) -> dict[str, float]:
        """The samples of ``/metrics`` by name with labels, as written there."""
        _, text = await self.get("/metrics")
        lines = (line.rpartition(" ") for line in text.decode().splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in lines}

    async def rows(self, count: int = 1_000_000, *flags: str) -> list[dict[str, object]]:
        """What ``penstock logs tail --json`` prints: the newest rows, oldest first."""
        said = await self.command("logs", "tail", "--json", "-n", str(count), *flags)
        return [codec.decode(line) for line in said.splitlines()]

    async def command(self, *words: str) -> str:
        """What ``penstock …`` prints, run beside the server on its data."""
        given = (*words, "--data-dir", str(self.data_dir))
        done = await asyncio.to_thread(command, *given, environ=self.environ)
        assert (done.status, done.err) == (0, "")
        return done.out

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def ended(self) -> int:
        """The exit status, once there is one; negative: the signal that killed it."""
        async with asyncio.timeout(PATIENCE):
            return await self.process.wait()

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Sends the signal and returns the exit status."""
        self.send(number)
        return await self.ended()

    async def kill(self) -> None:
        """``kill -9``; returns when the process is gone."""
        self.process.kill()
        await self.ended()


@asynccontextmanager
async def serving(
    data_dir: Path,
    *flags: str,
    simulate: bool = True,
    config: str = "",
    environ: Mapping[str, str] | None = None,
    gateways: Iterable[str] = ("default",),
    migrated: bool = True,
) -> AsyncGenerator[Serving]:
    """Starts a server on any free port; kills it at the end if it still runs. ``config``: a configuration file's text.
    ``gateways`` are there, open to anybody. ``migrated``: a first start finds an SQLite file with empty tables, which
    it would otherwise take a second to make.

    Raises Refused where it does not start.
    """
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    if migrated and not data_dir.exists() and "PENSTOCK_DATABASE_URL" not in (environ or {}):
        data_dir.mkdir(mode=0o700)
        sqlite_in(data_dir)
    given = ["--data-dir", str(data_dir), "--port", "0", *(["--simulate"] if simulate else []), *flags]
    if config:
        file = data_dir.with_name(data_dir.name + ".toml")
        file.write_text(config, "utf-8")
        given += ["--config", str(file)]
    process = await start(*given, errors=_errors(data_dir), environ=environ, cwd=data_dir.parent)
    try:
        greeting = await _greeting(process)
        if "listens on" not in greeting:
            status = await process.wait()
            raise Refused(status, _errors(data_dir).read_text("utf-8"))
        server = Serving(process, greeting, data_dir, environ or {})
        for gateway in gateways:
            await server.make_gateway(gateway)
        yield server
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()  # also closes the pipe


async def start(
    *flags: str, errors: Path, environ: Mapping[str, str] | None = None, cwd: Path | None = None
) -> asyncio.subprocess.Process:
    """``penstock serve`` with these flags, standard output in a pipe, standard error added to a file."""
    with errors.open("ab") as sink:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "penstock", "serve", *flags),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=sink,
            env=environment(environ),
            cwd=cwd,
        )


def shared(database: str, redis: str = "") -> dict[str, str]:
    """The environment of a server on PostgreSQL, and Redis, by their URLs."""
    found = {"PENSTOCK_DATABASE_URL": database, "PENSTOCK_MASTER_KEY": MASTER_KEY.hex()}
    return found | ({"PENSTOCK_REDIS_URL": redis} if redis else {})


async def eventually(ask: Callable[[], _T]) -> _T:
    """What ``ask`` returns, once that is true."""
    async with asyncio.timeout(PATIENCE):
        while not (answer := ask()):
            await asyncio.sleep(0.01)
    return answer


async def _greeting(process: asyncio.subprocess.Process) -> str:
    """What it prints until it serves, or until it ends."""
    assert process.stdout is not None
    lines: list[str] = []
    async with asyncio.timeout(PATIENCE):
        while line := await process.stdout.readline():
            lines.append(line.decode())
            if "logs tail" in lines[-1] or lines[-1].startswith("See "):  # the last thing it says
                break
    return "".join(lines)


def _secret(data_dir: Path, environ: Mapping[str, str]) -> str:
    """The token of the first start."""
    if given := environ.get("PENSTOCK_API_TOKEN"):
        return given
    return _found(r"^PENSTOCK_API_TOKEN=(.*)$", (data_dir / CREDENTIALS).read_text("utf-8"))


def _command_line(process: psutil.Process) -> list[str]:
    """Empty where the process has ended meanwhile."""
    with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
        return process.cmdline()
    return []


def _errors(data_dir: Path) -> Path:
    return data_dir.with_name(data_dir.name + ".stderr")


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    assert found is not None, text
    return found[1]
