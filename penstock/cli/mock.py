"""``penstock mock``: the simulated providers."""

from typing import Annotated

import typer


def mock(
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0 takes a free one.")] = 8788,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    require_key: Annotated[
        list[str] | None,
        typer.Option(help="Refuse calls that do not bear this key. Repeat for several.", metavar="KEY"),
    ] = None,
    check_signatures: Annotated[
        list[str] | None,
        typer.Option(
            help="Refuse calls to Bedrock that this AWS access key has not signed. Repeat for several.",
            metavar="ID:SECRET[:TOKEN]",
        ),
    ] = None,
    check_assertions: Annotated[
        list[str] | None,
        typer.Option(
            help="Give tokens for Vertex AI to this service account, whose public key is in FILE, and refuse other"
            " calls there. Repeat for several.",
            metavar="EMAIL:FILE",
        ),
    ] = None,
) -> None:
    """Serve simulated providers: every wire format, streams, faults on request, and a look at keys."""
    from penstock.mock import access  # by need: the other commands do not pay for it
    from penstock.mock.server import run

    try:
        taken = access.read(require_key or (), check_signatures or (), check_assertions or ())
    except ValueError as error:
        typer.echo(f"penstock mock: {error}", err=True)
        raise typer.Exit(2) from None
    raise typer.Exit(run(host, port, access=taken))
