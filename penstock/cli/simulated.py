"""The simulated providers of ``penstock serve --simulate``: a process beside the server."""

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import ip_network

from penstock.cli.refused import Refused
from penstock.core import child
from penstock.core.settings import Settings
from penstock.providers import catalog

_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


@contextmanager
def simulated(settings: Settings, *, on: bool) -> Generator[Settings]:
    """With them, if ``on``, and every provider that is not overridden pointed at them. Raises Refused."""
    if not on:
        yield settings
        return
    command = [sys.executable, "-m", "penstock.mock", "--port", "0", "--until-eof"]
    # Its standard input ends with this process, however that ends; a session of its own keeps Ctrl-C from it.
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=child.environment(),
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        url = process.stdout.readline().rpartition(" ")[2].strip()
        if not url:
            raise Refused("the simulated providers did not start.")
        given = {slug: f"{url}/{row.id}" for slug, row in catalog.load().items() if slug == row.id}
        allowed = (*settings.allowed_networks, *_LOOPBACK)  # so that what the API sets can be tried out as well
        yield replace(settings, providers=given | settings.providers, allowed_networks=allowed)
        process.stdin.close()
