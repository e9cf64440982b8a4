"""``penstock mock``: the simulated providers."""

from typing import Annotated

import typer


def mock(
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0 takes a free one.")] = 8788,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
) -> None:
    """Serve simulated providers: every wire format, streams, and faults on request."""
    from penstock.mock.server import run  # by need: the other commands do not pay for it

    raise typer.Exit(run(host, port))
