"""Servers that a test, a drill or a measurement needs: a private PostgreSQL and a private Redis, on loopback.

Both keep their data in a folder of their own and end with the block. They come from Debian's packages, which
``install`` fetches where they are missing, without the cluster and the service that the packages would start.
"""

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

PATIENCE = 30.0  # seconds that a server has to start or to stop
_PLACES = "/usr/lib/postgresql"
_QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")  # nothing here outlives its test


class Unavailable(Exception):
    """A server cannot be started; the message says why."""


class Server:
    """A server process. ``url``: where it answers."""

    def __init__(self, url: str, command: list[str], user: str | None, log: Path) -> None:
        self.url = url
        self._command = command
        self._user = user
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Returns when it answers. Raises Unavailable."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, user=self._user, start_new_session=True, cwd="/", env=_CLEAN
            )
        port = int(self.url.rpartition(":")[2].partition("/")[0])
        until = time.monotonic() + PATIENCE
        while not _answers(port):
            if self._process.poll() is not None or time.monotonic() > until:
                self.kill()
                raise Unavailable(
                    f"{self._command[0]} does not start: {self._log.read_text('utf-8', 'replace')[-2000:]}"
                )
            time.sleep(0.02)  # a starting server tells nobody that it listens

    def stop(self) -> None:
        """Ends it at once, its connections with it."""
        if self._process is not None:
            self._process.send_signal(2)  # PostgreSQL: fast shutdown
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(PATIENCE)
            self.kill()

    def kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()


@contextmanager
def postgres(*options: str) -> Generator[Server]:
    """PostgreSQL with an empty cluster; the URL names its database ``postgres``. ``options``: ``name=value``.

    It refuses to run as root: then it runs as the package's own user. Raises Unavailable.
    """
    user = "postgres" if os.geteuid() == 0 else None
    folder = _folder(user)
    port = _free_port()
    data, socket_dir = folder / "data", folder
    try:
        made = subprocess.run(
            [_binary("initdb"), "-D", str(data), "-U", "penstock", "-A", "trust", "-E", "UTF8", "--no-sync"],
            capture_output=True,
            check=False,
            user=user,
            cwd="/",
            env=_CLEAN,
        )
        if made.returncode:
            raise Unavailable(f"initdb: {made.stderr.decode('utf-8', 'replace')}")
        given = ["listen_addresses=127.0.0.1", f"unix_socket_directories={socket_dir}", "max_connections=200"]
        flags = [part for option in (*given, *(options or _QUICK)) for part in ("-c", option)]
        command = [_binary("postgres"), "-D", str(data), "-p", str(port), *flags]
        server = Server(f"postgresql://penstock@127.0.0.1:{port}/postgres", command, user, folder.with_suffix(".log"))
        yield from _running(server)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        folder.with_suffix(".log").unlink(missing_ok=True)


@contextmanager
def redis(*options: str) -> Generator[Server]:
    """Redis that keeps nothing on the disk. ``options``: of its command line. Raises Unavailable."""
    folder = _folder(None)
    port = _free_port()
    given = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(folder), *options]
    command = [_found("redis-server"), *given]
    try:
        yield from _running(Server(f"redis://127.0.0.1:{port}/0", command, None, folder.with_suffix(".log")))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        folder.with_suffix(".log").unlink(missing_ok=True)


def _running(server: Server) -> Generator[Server]:
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _folder(user: str | None) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="penstock-service-"))
    if user is not None:
        try:
            found = pwd.getpwnam(user)
        except KeyError:
            raise Unavailable(f"PostgreSQL refuses to run as root, and there is no user {user}.") from None
        os.chown(folder, found.pw_uid, found.pw_gid)
    return folder


def _binary(name: str) -> str:
    """A program of the newest PostgreSQL that is installed; Debian keeps them out of PATH."""
    versions = sorted(Path(_PLACES).glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]), reverse=True)
    return str(versions[0]) if versions else _found(name)


def _found(name: str) -> str:
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    if (found := shutil.which(name, path=path)) is None:
        raise Unavailable(f"There is no {name} on this machine: python scripts/debian.py installs it.")
    return found


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


_CLEAN = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | {"LC_ALL": "C.UTF-8"}


if __name__ == "__main__":  # by hand: the addresses, until the standard input ends
    with postgres() as database, redis() as cache:
        print(f"PENSTOCK_TEST_DATABASE_URL={database.url}\nPENSTOCK_TEST_REDIS_URL={cache.url}", flush=True)
        sys.stdin.read()
