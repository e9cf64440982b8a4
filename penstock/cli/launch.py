"""From settings to a running server, in this process or in several: what is printed, and what is refused."""

import os
import resource
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from types import FrameType
from typing import TextIO

from penstock.cli.apart import apart
from penstock.cli.greeting import greeting
from penstock.cli.loading import loading
from penstock.cli.refused import Refused
from penstock.cli.simulated import simulated
from penstock.control.first_start import Start, StartError, prepare
from penstock.control.oidc import grants
from penstock.core import logs
from penstock.core.proxies import Proxies
from penstock.core.settings import Settings
from penstock.gateway.compile import operators, own_prices, upstreams
from penstock.providers.upstream import Upstream
from penstock.proxy import tls
from penstock.storage.errors import StoreUnavailable

_OTHER_FILES = 100  # descriptors beside those of the calls, two for each: the log, the store, the listener


def run(settings: Settings, *, simulate: bool = False) -> int:
    """Serves until a signal ends it; returns the exit status."""
    logs.configure(access=settings.access_log)
    signal.signal(signal.SIGHUP, _hangup)
    _raise_file_limit(settings.max_connections)
    try:
        with closing(_listen(settings)) as listener, simulated(settings, on=simulate) as adapted:
            routes = _routes(adapted)  # before anything is made

            def prepared() -> Start:
                return _prepare(adapted, link=simulate)

            start = prepared() if settings.workers == 1 else apart(prepared)
            with closing(start.store):

                def greet() -> None:
                    _say(greeting(adapted, start, listener, simulate=simulate), sys.stdout)

                if settings.workers == 1:
                    return _serve(adapted, start, routes, listener, greet)
                return _supervise(adapted, start, listener, greet)
    except (Refused, StartError, StoreUnavailable) as refusal:
        _say(f"Penstock cannot start: {refusal}", sys.stderr)
        return 1


def _serve(
    settings: Settings,
    start: Start,
    routes: Mapping[str, Upstream],
    listener: socket.socket,
    greet: Callable[[], None],
) -> int:
    """In this process."""
    with loading():
        from penstock.app import Place, compose  # heavy, and of no use to a process that only watches over others

    app = compose(settings, Place(start.store.url, start.master_keys), routes)
    app.announce = greet
    server = app.server()
    server.run(sockets=[listener])
    return 128 + signal.SIGINT if server.force_exit else 0


def _supervise(settings: Settings, start: Start, listener: socket.socket, greet: Callable[[], None]) -> int:
    """In processes of their own."""
    from penstock.cli import supervise
    from penstock.cli.handover import Handover

    return supervise.run(settings, Handover.of(settings, start.store.url, start.master_keys), listener, greet)


def _prepare(settings: Settings, *, link: bool = False) -> Start:
    return prepare(
        settings.data_dir,
        database_url=settings.database_url or None,
        account_id=settings.account_id or None,
        api_token=settings.api_token or None,
        email=settings.admin_email,
        master_key=settings.master_key,
        master_key_previous=settings.master_key_previous,
        link=link,
    )


def _routes(settings: Settings) -> dict[str, Upstream]:
    try:
        Proxies.read(os.environ)
        tls.context(settings)
        operators(settings.provider_keys)
        own_prices(settings)
        grants.check(settings.oidc_grants)
        return upstreams(settings.providers, settings.markups)
    except (
        ValueError
    ) as error:  # an override that names no provider, a bad address, proxy, certificate, price or permission
        raise Refused(str(error)) from error


def _listen(settings: Settings) -> socket.socket:
    """Binds before anything else is done, so that a taken port is told at once."""
    try:
        family, *_, place = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        both = place[0] == "::" and socket.has_dualstack_ipv6()  # all of IPv6 means all of IPv4 too
        return socket.create_server(place, family=family, backlog=2048, dualstack_ipv6=both)
    except OSError as error:
        where = f"{settings.host} port {settings.port}"
        reason = (error.strerror or str(error)).partition(" (while")[0]  # of the address, which stands before it
        raise Refused(f"cannot listen on {where}: {reason}. Choose another with --host or --port.") from error


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
