"""``penstock doctor``."""

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from penstock.cli.store import printable
from penstock.core import codec
from penstock.core import settings as setting

if TYPE_CHECKING:
    from penstock.doctor.finding import Finding

_HELP = {row.name: row.sentence for row in setting.SETTINGS}
_STYLES = {"ok": "green", "warning": "yellow", "problem": "red"}


def doctor(
    host: Annotated[str | None, typer.Option(help=_HELP["host"], metavar="ADDRESS")] = None,
    port: Annotated[str | None, typer.Option(help=_HELP["port"], metavar="NUMBER")] = None,
    data_dir: Annotated[str | None, typer.Option(help=_HELP["data_dir"], metavar="PATH")] = None,
    database_url: Annotated[
        str | None, typer.Option(help="Where the database is, if not there.", metavar="URL")
    ] = None,
    config: Annotated[str | None, typer.Option(help=_HELP["config"], metavar="FILE")] = None,
    workers: Annotated[str | None, typer.Option(help=_HELP["workers"], metavar="NUMBER")] = None,
    all_providers: Annotated[
        bool, typer.Option("--all-providers", help="Try to reach every provider, not only those in the configuration.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line for each finding.")] = False,
) -> None:
    """Look for what would keep a server with these settings from working, and say what to do about it.

    The exit status is 0 without problems, 1 with some, and 2 where the settings themselves are wrong.
    """
    flags = {
        "host": host,
        "port": port,
        "data_dir": data_dir,
        "database_url": database_url,
        "config": config,
        "workers": workers,
    }
    try:
        settings = setting.load(flags, os.environ)
    except setting.SettingsError as error:
        typer.echo("\n  ".join(["Penstock cannot start with these settings:", *error.problems]), err=True)
        raise typer.Exit(2) from None

    from penstock.doctor.examine import examine  # heavy, and wrong settings should be told at once
    from penstock.doctor.finding import Subject

    found = examine(Subject(settings, os.environ, all_providers))
    if as_json:
        for finding in found:
            sys.stdout.write(codec.encode(finding._asdict()).decode() + "\n")
    else:
        _show(found)
    sys.stdout.flush()
    raise typer.Exit(int(any(finding.level == "problem" for finding in found)))


def _show(found: "list[Finding]") -> None:
    """A line for each finding, its remedy below it. Colour only on a terminal."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    wide = max(len(finding.check) for finding in found)
    for finding in found:
        level = (f"{finding.level:<8}", _STYLES[finding.level])
        console.print(Text.assemble(level, f"  {finding.check:<{wide}}  {printable(finding.text)}"))
        if finding.remedy:
            console.print(Text(f"{'':{wide + 12}}{printable(finding.remedy)}", style="bold"))
    problems, warnings = (sum(finding.level == level for finding in found) for level in ("problem", "warning"))
    console.print(f"\n{_count(problems, 'problem')}, {_count(warnings, 'warning')}.")


def _count(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"
