"""Tokens as ``penstock token`` shows them: just made, in a table, one by itself."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import typer

from penstock.cli import store
from penstock.model.money import NANO, dollars

if TYPE_CHECKING:
    from penstock.control.tokens.service import Made

_SPANS = {1: "s", 60: "min", 3600: "h", 86_400: "day"}


def made(found: "Made", *, quiet: bool) -> None:
    """With its secret, this once."""
    from penstock.control.tokens import schema

    if quiet:
        typer.echo(found.value)
        return
    told = schema.traits(found.token)
    typer.echo(f"Token {store.printable(told['name'])!r} of account {found.token.account}:\n\n    {found.value}\n")
    typer.echo("It is shown this once. A running server knows it within a second.\n")
    rows = [("id", found.token.id), ("scopes", ", ".join(told["scopes"])), ("gateways", joined(told["gateways"]))]
    rows += [("e-mail", told["email"] or "-"), ("expires", minute(told["expires_on"]))]
    rows += [(name, text(told)) for name, text in _BOUNDS.items() if text(told) != "-"]
    typer.echo("\n".join(store.columns(rows)))


def card(told: dict[str, Any]) -> str:
    """All of one, a line each."""
    rows = [("id", told["id"]), ("name", store.printable(told["name"])), ("scopes", ", ".join(told["scopes"]))]
    rows += [("gateways", joined(told["gateways"])), ("e-mail", told["email"] or "-")]
    rows += [("created", minute(told["created_at"])), ("expires", minute(told["expires_on"]))]
    rows += [("status", told["status"]), *((name, text(told)) for name, text in _BOUNDS.items())]
    if told["budget"] is not None:
        rows.append(("spent", spent(told["budget"])))
    return "\n".join(store.columns(rows))


def table(rows: list[dict[str, Any]], *, accounts: bool) -> None:
    """Budgets, rates and models have a column where any token has one. Colour only on a terminal."""
    from rich.console import Console
    from rich.text import Text

    bounds = [name for name, text in _BOUNDS.items() if any(text(row) != "-" for row in rows)]
    heading = ("id", *(["account"] if accounts else []), "name", "created", "expires", "e-mail", "gateways")
    console = Console(highlight=False, soft_wrap=True)
    cells = [_cells(row, bounds, accounts=accounts) for row in rows]
    first, *lines = store.columns([(*heading, *bounds, "scopes"), *cells])
    console.print(Text(first, style="bold"))
    for row, line in zip(rows, lines, strict=True):
        console.print(Text(line, style="dim" if row["status"] == "expired" else ""))


def _cells(row: dict[str, Any], bounds: list[str], *, accounts: bool) -> list[str]:
    from penstock.cli.token_flags import abridged

    return [
        *(row["id"], *([row["account"]] if accounts else []), store.printable(row["name"])),
        *(minute(row["created_at"]), minute(row["expires_on"]), row["email"] or "-"),
        *(joined(row["gateways"]), *(_BOUNDS[name](row) for name in bounds), abridged(row["scopes"])),
    ]


def budget(row: dict[str, Any]) -> str:
    """As the flag takes it."""
    told = row["budget"]
    if told is None:
        return "-"
    window = told["window"]
    span = "" if window == "forever" else f"/{window}s" if isinstance(window, int) else f"/{window}"
    return f"${told['amount']:,.9g}{span}{' sliding' * (told['technique'] == 'sliding')}"


def spent(told: dict[str, Any]) -> str:
    """What is gone of a budget, and when it is there again."""
    again = "" if told["resets_at"] is None else f", until {minute(told['resets_at'])}"
    return f"{dollars(round(told['spent'] * NANO))}{again}"


def rate(row: dict[str, Any]) -> str:
    """As the flag takes it."""
    told = row["rate_limit"]
    if told is None:
        return "-"
    span = _SPANS.get(told["window"], f"{told['window']}s")
    return f"{told['limit']}/{span}{' sliding' * (told['technique'] == 'sliding')}"


def models(row: dict[str, Any]) -> str:
    return "-" if row["models"] is None else ", ".join(row["models"])


_BOUNDS: dict[str, Callable[[dict[str, Any]], str]] = {"budget": budget, "rate": rate, "models": models}


def joined(names: list[str] | None) -> str:
    return "all" if names is None else ", ".join(names)


def minute(value: str | None) -> str:
    return "never" if value is None else value[:16].replace("T", " ")
