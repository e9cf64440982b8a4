"""From settings to a running server: what is printed, and what is refused."""

import os
import resource
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TextIO

import penstock
from penstock.app import compose
from penstock.control.first_start import CREDENTIALS, Start, StartError, prepare
from penstock.core import logs
from penstock.core.settings import Settings, url_of
from penstock.gateway.compile import upstreams
from penstock.providers import catalog
from penstock.providers.upstream import Upstream
from penstock.storage.errors import StoreUnavailable

_CALL = """\
  curl {url}/v1/{account}/default/openai/chat/completions \\
    -H "cf-aig-authorization: Bearer {token}" {key}\\
    -H 'content-type: application/json' \\
    -d '{{"model":"gpt-4o-mini","messages":[{{"role":"user","content":"Hello, Penstock!"}}]}}'
"""

_OTHER_FILES = 100  # descriptors beside those of the calls, two for each: the log, the store, the listener


class Refused(Exception):
    """The server cannot start; the message says why and what to do."""


def run(settings: Settings, *, simulate: bool = False) -> int:
    """Serves until a signal ends it; returns the exit status."""
    logs.configure(access=settings.access_log)
    signal.signal(signal.SIGHUP, _hangup)
    _raise_file_limit(settings.max_connections)
    try:
        with closing(_listen(settings)) as listener, _simulated(settings, on=simulate) as adapted:
            return _serve(adapted, listener, simulate=simulate)
    except (Refused, StartError, StoreUnavailable) as refusal:
        _say(f"Penstock cannot start: {refusal}", sys.stderr)
        return 1


def _serve(settings: Settings, listener: socket.socket, *, simulate: bool) -> int:
    routes = _routes(settings)  # before anything is made
    start = prepare(
        settings.data_dir,
        database_url=settings.database_url or None,
        account_id=settings.account_id or None,
        api_token=settings.api_token or None,
        email=settings.admin_email,
    )
    with closing(start.store):
        app = compose(settings, start, routes)
        server = app.server()
        app.announce = lambda: _say(greeting(settings, start, listener, simulate=simulate), sys.stdout)
        server.run(sockets=[listener])
    return 128 + signal.SIGINT if server.force_exit else 0


def _routes(settings: Settings) -> dict[str, Upstream]:
    try:
        return upstreams(settings.providers)
    except ValueError as error:  # an override that names no provider, or is no address
        raise Refused(str(error)) from error


def greeting(settings: Settings, start: Start, listener: socket.socket, *, simulate: bool) -> str:
    """What a start prints: where it listens, what the first start made, and a call to paste."""
    host, port = listener.getsockname()[:2]
    given = settings.public_url != url_of(settings.host, 0)  # which is what stands there with any free port
    url = settings.public_url if given else url_of(host, port)
    shown = f"[{host}]" if ":" in host else host
    account = settings.account_id or start.accounts[0]
    lines = [f"Penstock {penstock.__version__} listens on http://{shown}:{port}", ""]
    lines.append(f"  Account    {account}")
    if start.token:
        lines.append(f"  API token  {start.token}")
        lines.append(f"             (shown once; kept in {settings.data_dir / CREDENTIALS})")
    if simulate:
        lines.append("  Providers  simulated: every call is answered on this machine and costs nothing")
    provider = "" if simulate else '-H "authorization: Bearer $OPENAI_API_KEY" '
    lines += ["", "Try it:", "", _CALL.format(url=url, account=account, token=_token(settings, start), key=provider)]
    lines.append(f"and see the call: {_command()} logs tail{_place(settings)}\n")
    return "\n".join(lines)


def _token(settings: Settings, start: Start) -> str:
    """The token as the printed call has it: in plain the one time it may be shown, else where a shell finds it."""
    credentials = (settings.data_dir / CREDENTIALS).absolute()
    if start.token or settings.api_token or not credentials.exists():
        return start.token or "$PENSTOCK_API_TOKEN"
    return f"$(sed -n s/^PENSTOCK_API_TOKEN=//p {shlex.quote(str(credentials))})"


def _command() -> str:
    """How the user can start ``penstock`` from where they are."""
    script = Path(sys.executable).with_name("penstock")
    try:
        return str(script.relative_to(Path.cwd())) if script.exists() else f"{sys.executable} -m penstock"
    except ValueError:
        return "penstock" if shutil.which("penstock") == str(script) else str(script)


def _place(settings: Settings) -> str:
    return "" if settings.data_dir == Settings().data_dir else f" --data-dir {shlex.quote(str(settings.data_dir))}"


def _listen(settings: Settings) -> socket.socket:
    """Binds before anything else is done, so that a taken port is told at once."""
    try:
        family, *_, place = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return socket.create_server(place[:2], family=family, backlog=2048)
    except OSError as error:
        where = f"{settings.host} port {settings.port}"
        reason = (error.strerror or str(error)).partition(" (while")[0]  # of the address, which stands before it
        raise Refused(f"cannot listen on {where}: {reason}. Choose another with --host or --port.") from error


@contextmanager
def _simulated(settings: Settings, *, on: bool) -> Generator[Settings]:
    """With simulated providers, a process beside this one, and every provider that is not overridden pointed at it."""
    if not on:
        yield settings
        return
    command = [sys.executable, "-m", "penstock.mock", "--port", "0", "--until-eof"]
    place = str(Path(penstock.__file__).parent.parent)
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (place, os.environ.get("PYTHONPATH"))))}
    # Its standard input ends with this process, however that ends; a session of its own keeps Ctrl-C from it.
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ, start_new_session=True
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        url = process.stdout.readline().rpartition(" ")[2].strip()
        if not url:
            raise Refused("the simulated providers did not start.")
        given = {slug: f"{url}/{row.id}" for slug, row in catalog.load().items() if slug == row.id}
        yield replace(settings, providers=given | settings.providers)
        process.stdin.close()


def _raise_file_limit(connections: int) -> None:
    """As many open files as the process may have; says so where that is too few for its connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # some systems promise more than they grant
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    need = 2 * connections + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < need:
        logs.log.warning(
            "the process may open %d files, and %d connections can need %d: raise the limit (ulimit -n, or LimitNOFILE"
            " of a service) or lower max_connections",
            *(soft, connections, need),
        )


def _hangup(_signal: int, _frame: FrameType | None) -> None:
    logs.log.warning("SIGHUP: the configuration file is read at the start only; restart to apply a change")


def _say(text: str, stream: TextIO) -> None:
    print(text, file=stream, flush=True)
