"""The way out to providers as a server with these settings has it, for one question at a time."""

import asyncio
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from penstock.backends.http.dialer import Dialer
from penstock.backends.http.limits import Limits
from penstock.backends.http.transport import HttpTransport
from penstock.core.addresses import Rules
from penstock.core.deadlines import Deadlines
from penstock.core.outbox import Outbox
from penstock.core.proxies import Proxies
from penstock.core.settings import Settings


class Outside(NamedTuple):
    dialer: Dialer
    transport: HttpTransport


@contextmanager
def outside(settings: Settings, environ: Mapping[str, str], patience: float) -> Generator[Outside]:
    """Address rules and proxies of a server; no connection is kept. ``patience``: seconds that others have to answer.

    Raises ValueError for proxies that cannot be used.
    """
    loop = asyncio.get_running_loop()
    dialer = Dialer(loop, patience, Rules(settings.allowed_networks), Proxies.read(environ))
    deadlines = Deadlines(loop)
    transport = HttpTransport(deadlines, Outbox(loop, ()), Limits(patience, patience), dialer, 0)
    try:
        yield Outside(dialer, transport)
    finally:
        transport.close()
        deadlines.stop()
