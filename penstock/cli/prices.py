"""``penstock prices``: what calls are charged by."""

import sys
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Annotated, Any

import typer

from penstock.cli import store
from penstock.cli.store import Config
from penstock.core import codec
from penstock.core.errors import Invalid

app = typer.Typer(name="prices", help="What calls are charged by.", no_args_is_help=True)

_LIST = "genai-prices"


@app.callback()
def prices() -> None:
    """What calls are charged by."""


@app.command()
def show(
    model: Annotated[str, typer.Argument(help="The model, as the provider names it in its answer.", metavar="MODEL")],
    provider: Annotated[
        str | None, typer.Option(help="The provider; by default all that have a price for it.", metavar="ID")
    ] = None,
    at: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day; by default today, in UTC.", metavar="DATE")
    ] = None,
    when: Annotated[
        list[str] | None,
        typer.Option(
            help="A term of the answer, such as service_tier=flex; more than once for several.", metavar="TERM"
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line for each rate.")] = False,
    config: Config = None,
) -> None:
    """Show the rates of a model, and where each comes from: your own file, or the list that Penstock comes with.

    The exit status is 0, 1 where no price is known, and 2 where the settings or the file of prices are wrong.
    """
    with store.failing("prices show"):
        moment = at.replace(tzinfo=UTC) if at else datetime.now(UTC)
        found = list(_found(model, provider, moment, tuple(when or ()), config))
        if as_json:
            for line in found:
                sys.stdout.write(codec.encode(line).decode() + "\n")
        elif found:
            _print(found)
    if not found:
        where = f" at {provider}" if provider else ""
        typer.echo(f"No price is known for {store.printable(model)}{where}.", err=True)
        raise typer.Exit(1)


def _found(model: str, provider: str | None, at: datetime, terms: tuple[str, ...], config: str | None) -> Any:
    """One object for each rate."""
    from penstock.gateway.compile import own_prices  # heavy
    from penstock.providers import catalog
    from penstock.providers.price_lines import lines
    from penstock.providers.prices import PriceBook

    rows = catalog.load()
    if provider is not None and provider not in rows and not provider.startswith("custom-"):
        raise Invalid(f"--provider: there is no {provider!r}; known are {', '.join(sorted(rows))}")
    try:
        own = own_prices(store.read(None, None, config))
    except ValueError as error:
        raise Invalid(str(error)) from error
    book = PriceBook(rows, own)
    millis = int(at.timestamp() * 1000)
    for name in [provider] if provider else sorted({row.id for row in rows.values()}):
        price = book.find(name, model, millis, terms)
        if price.vector is None:
            continue
        for line in lines(price, rows[name].usage.like if name in rows else {}):
            yield {
                "provider": name,
                "model": model,
                "above": line.above,
                "kind": line.kind,
                "dollars": line.dollars,
                "per": "million tokens" if line.is_tokens else "unit",
                "source": f"{own.file}, entry {line.entry}" if line.entry else f"{_LIST} {version(_LIST)}",
                "like": line.like or None,
                "since": datetime.fromtimestamp(line.since / 1000, UTC).date().isoformat() if line.since else None,
            }


def _print(found: list[dict[str, Any]]) -> None:
    head = None
    for line in found:
        if head != (line["provider"], line["above"]):
            head = line["provider"], line["above"]
            above = f", above {line['above']:,} tokens of input" if line["above"] else ""
            typer.echo(store.printable(f"{line['model']} at {line['provider']}{above}"))
        rate = f"${line['dollars']:.12g}".ljust(12)
        like = f"as {line['like']}: " if line["like"] else ""
        since = f", since {line['since']}" if line["since"] else ""
        typer.echo(f"  {line['kind']:<18} {rate} per {line['per']:<14} {like}{line['source']}{since}")
