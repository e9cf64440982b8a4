"""``penstock serve``."""

import os
from typing import Annotated

import typer

from penstock.cli.loading import loading
from penstock.core import settings as setting

_HELP = {row.name: row.sentence for row in setting.SETTINGS}


def serve(
    host: Annotated[str | None, typer.Option(help=_HELP["host"], metavar="ADDRESS")] = None,
    port: Annotated[str | None, typer.Option(help=_HELP["port"], metavar="NUMBER")] = None,
    data_dir: Annotated[str | None, typer.Option(help=_HELP["data_dir"], metavar="PATH")] = None,
    config: Annotated[str | None, typer.Option(help=_HELP["config"], metavar="FILE")] = None,
    workers: Annotated[str | None, typer.Option(help=_HELP["workers"], metavar="NUMBER")] = None,
    role: Annotated[str | None, typer.Option(help=_HELP["role"], metavar="NAME")] = None,
    tls_certificate: Annotated[str | None, typer.Option(help=_HELP["tls_certificate"], metavar="FILE")] = None,
    tls_key: Annotated[str | None, typer.Option(help=_HELP["tls_key"], metavar="FILE")] = None,
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Start simulated providers beside the server and send all calls to them.")
    ] = False,
) -> None:
    """Run the gateway.

    Every flag is a setting; those and the others can also come from PENSTOCK_ variables and from the configuration
    file. docs/settings.md lists them.
    """
    flags = {"host": host, "port": port, "data_dir": data_dir, "config": config, "workers": workers, "role": role}
    flags |= {"tls_certificate": tls_certificate, "tls_key": tls_key}
    try:
        settings = setting.load(flags, os.environ)
    except setting.SettingsError as error:
        typer.echo("\n  ".join(["Penstock cannot start with these settings:", *error.problems]), err=True)
        raise typer.Exit(2) from None

    with loading():
        from penstock.cli.launch import run  # heavy, and wrong settings should be told at once

    raise typer.Exit(run(settings, simulate=simulate))
